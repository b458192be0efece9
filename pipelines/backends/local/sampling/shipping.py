"""The steps of a compiled pipeline that register or deploy: a sampled run leaves them out."""

from __future__ import annotations

import json

from pipelines.compile.model import Compiled
from pipelines.definition.steps import Step, take_apart
from pipelines.programs import declaration

_MADE = frozenset({"model-package", "endpoint", "endpoint-config"})
"""What is shipped, as it stands in ARNs."""


def shipping(compiled: Compiled) -> frozenset[str]:
    """Name the steps that register or deploy, with those that prepare it for them."""
    deploying = {
        asset.step
        for asset in compiled.code
        if asset.job.program and declaration(asset.job.program).endpoint is not None
    }
    steps = take_apart(json.loads(compiled.definition)).steps
    origins = {step.name: compiled.origins.get(step.name, step.name) for step in steps}
    found = {origins[step.name] for step in steps if _ships(step)} | deploying
    return frozenset(name for name, origin in origins.items() if origin in found)


def _ships(step: Step) -> bool:
    resource = step.known.resource if step.known is not None else None
    return resource is not None and resource.noun in _MADE
