"""Which endpoints a pipeline deploys: of what is compiled, of what is deployed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pipelines.bundle.assets import CodeAsset
from pipelines.compile.model import Compiled
from pipelines.definition.named import defaults_of, known_text, objects_of, read
from pipelines.json_types import JsonObject
from pipelines.programs.deploy.model import DeploymentTarget as Deployment
from pipelines.programs.deploy.target import target_of
from pipelines.programs.deploy.variables import ENDPOINT
from pipelines.runtime.bundle import CODE

_PROGRAM = "deploy"


def deployments(compiled: Compiled, group: str | None = None) -> tuple[Deployment, ...]:
    """Find the deployments of a pipeline, of one group or of all."""
    found = []
    for name, text in compiled.definitions.items():
        if name == compiled.pipeline:
            continue
        definition = json.loads(text)
        defaults = defaults_of(definition)
        for step in definition["Steps"]:
            asset = next((one for one in compiled.code if one.step == step["Name"]), None)
            if asset is not None and asset.job.program == _PROGRAM:
                found.append(_deployment(asset, step["Arguments"]["Environment"], defaults))
    return tuple(one for one in found if group is None or one.group == group)


def endpoints_of(definition: str) -> Iterator[str]:
    """Yield the endpoints that a definition's deployment steps deploy to.

    One that is a parameter has the parameter's default; what an execution decides is left out.
    """
    document = read(definition)
    defaults = defaults_of(document)
    for variables in objects_of(document):
        name = known_text(variables.get(ENDPOINT), defaults)
        if name is not None:
            yield name


def _deployment(asset: CodeAsset, variables: JsonObject, defaults: Mapping[str, str]) -> Deployment:
    texts = {name: known_text(value, defaults) or "" for name, value in variables.items()}
    return target_of(asset.job.config, texts, lambda path: asset.content(f"{CODE}{path}"))
