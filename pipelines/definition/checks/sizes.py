"""Checks the service's limits on a definition as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from pipelines.definition.findings import error
from pipelines.definition.steps import Definition
from pipelines.diagnostics import Finding

MOST_PARAMETERS: Final = 200
MOST_STEPS: Final = 50
MOST_CHARACTERS: Final = 1_048_576


def check(definition: Definition) -> Iterator[Finding]:
    """Yield when there are too many parameters, steps or characters."""
    listed = definition.whole.get("Parameters")
    if isinstance(listed, list) and len(listed) > MOST_PARAMETERS:
        yield error(
            "SP507",
            ("Parameters",),
            f"the pipeline has {len(listed)} parameters, but may have {MOST_PARAMETERS}",
            "AWS General Reference, not adjustable",
        )
    counted = sum(not step.repeats for step in definition.steps)
    if counted > MOST_STEPS:
        yield error(
            "SP507",
            ("Steps",),
            f"the pipeline has {counted} steps, but may have {MOST_STEPS}",
            "branches count (AWS General Reference, not adjustable); split the pipeline",
        )
    size = len(json.dumps(definition.whole, separators=(",", ":"), ensure_ascii=False, default=str))
    if size > MOST_CHARACTERS:
        yield error(
            "SP507",
            (),
            f"the definition has {size} characters, but may have {MOST_CHARACTERS}",
            "CreatePipeline takes no more, nor from S3; split the pipeline",
        )
