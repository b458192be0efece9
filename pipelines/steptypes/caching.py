"""What the service compares to take a step's result from its cache (FACTS 1.9).

The local engine hashes it; a plan compares it without running anything. Both ask here.
"""

from __future__ import annotations

from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.places import value_at
from pipelines.steptypes.steptype import StepType


def compared(step: JsonObject, arguments: JsonObject, step_type: StepType | None) -> Json | None:
    """Return what the service compares: the Type and its key attributes; None for an uncached step.

    Args:
        step: the step as it stands in a definition.
        arguments: its arguments: resolved, or what stands for them.
        step_type: what is known about its Type; an unknown Type is not cached.
    """
    enabled = (step.get("CacheConfig") or {}).get("Enabled")
    if not enabled or step_type is None or step_type.cache is None:
        return None
    found = {key: value_at(arguments, key) for key in step_type.cache.key}
    known = {key: value for key, value in found.items() if value is not None}
    return [step_type.name, known if step_type.cache.key else arguments]
