"""The references in a definition: `{"Get": "Steps.train.ModelArtifacts…"}` and its kin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.json_types import Json

NESTED_STEPS = ("IfSteps", "ElseSteps", "ForEachBody")
"""Members of `Arguments` that hold steps: not arguments of the step that carries them."""

_STEP = re.compile(r"Steps\.(?P<name>[A-Za-z0-9_-]+)(?P<path>.*)", re.DOTALL)


def got(value: Json) -> str | None:
    """Return what a `Get` asks for, None for anything else."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("Get"), str):
        text: str = value["Get"]
        return text
    return None


def split_step(reference: str) -> tuple[str, str] | None:
    """Split `Steps.<name><path>` into name and path; None for other references."""
    match = _STEP.fullmatch(reference)
    return (match["name"], match["path"]) if match else None


def step_references(value: Json) -> Iterator[str]:
    """Yield the names of the steps that a value refers to, leaving branches out.

    The steps in a condition's branches are steps of their own. A ForEach body belongs to its
    step, so what it refers to counts, except its own steps.
    """
    reference = got(value)
    step = split_step(reference) if reference is not None else None
    if step is not None:
        yield step[0]
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _of_member(key, item)
    elif isinstance(value, list):
        for item in value:
            yield from step_references(item)


def _of_member(key: str, item: Json) -> Iterator[str]:
    if key == "ForEachBody":
        own = {body.get("Name") for body in item if isinstance(body, dict)}
        yield from (name for name in step_references(item) if name not in own)
    elif key not in NESTED_STEPS:
        yield from step_references(item)
