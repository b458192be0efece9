"""Everything the tool knows about SageMaker's step Types, one module per Type.

A Type's module is its name in snake_case, a capital run counting as one word: `RegisterModel` →
`register_model`, `AutoML` → `auto_ml`, `EMRServerless` → `emr_serverless`; a Python keyword gets
an underscore (`Lambda` → `lambda_`). Its shapes lie in `shapes/<Type>.json`, made by
`tools/generate_shapes.py`; these files are the list of Types.
"""

from __future__ import annotations

import functools
import importlib
import keyword
import re
from pathlib import Path

from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.steptype import StepKey, StepType

__all__ = ["StepKey", "StepType", "cached_arguments", "find", "module_name", "names"]

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def module_name(type_name: str) -> str:
    """Return the name of the module that a Type has, here and among the local executors."""
    name = _WORD_START.sub("_", type_name).lower()
    return f"{name}_" if keyword.iskeyword(name) else name


@functools.cache
def names() -> tuple[str, ...]:
    """Return every known Type, sorted."""
    folder = Path(__file__).parent / "shapes"
    return tuple(sorted(path.stem for path in folder.glob("*.json")))


@functools.cache
def find(name: str) -> StepType | None:
    """Return what is known about a Type, or None; imports that Type's module only."""
    if name not in names():
        return None
    module = importlib.import_module(f"{__name__}.{module_name(name)}")
    step_type: StepType = module.STEP_TYPE
    return step_type


def cached_arguments(step_type: StepType, arguments: JsonObject) -> JsonObject:
    """Return the arguments that the service compares for a cache hit, keyed by dotted name.

    Source: developer guide, "Default cache key attributes".
    """
    if not step_type.cache_key:
        return arguments
    found: JsonObject = {}
    for key in step_type.cache_key:
        value: Json = arguments
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            found[key] = value
    return found
