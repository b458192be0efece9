"""The steps that a value of a definition refers to."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.grammar.functions import target_of
from pipelines.json_types import Json

NESTED_STEPS = ("IfSteps", "ElseSteps", "ForEachBody")
"""Members of `Arguments` that hold steps: not arguments of the step that carries them."""


def step_references(value: Json) -> Iterator[str]:
    """Yield the names of the steps that a value refers to, leaving branches out.

    The steps in a condition's branches are steps of their own. A ForEach body belongs to its
    step, so what it refers to counts, except its own steps.
    """
    target = target_of(value)
    if target is not None and target.step is not None:
        yield target.step
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
