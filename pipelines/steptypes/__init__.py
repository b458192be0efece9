"""Everything the tool knows about SageMaker's step Types, one module per Type.

A Type's module is its name in snake_case, a capital run counting as one word: `RegisterModel` →
`register_model`, `AutoML` → `auto_ml`, `EMRServerless` → `emr_serverless`; a Python keyword gets
an underscore (`Lambda` → `lambda_`). Its shapes lie in `shapes/<Type>.json`, made by
`tools/generate_shapes.py`; these files are the list of Types. Modules that are no Type's hold what
several Types share.
"""

from __future__ import annotations

import functools
import importlib
import keyword
from pathlib import Path
from typing import Final

from pipelines.diagnostics.nearest import nearest
from pipelines.grammar.names import snake_case
from pipelines.steptypes.steptype import StepKey, StepType

__all__ = [
    "UNDOCUMENTED",
    "StepKey",
    "StepType",
    "every",
    "find",
    "find_alias",
    "find_listed",
    "meant",
    "module_name",
    "names",
    "require",
    "shape_file",
]

UNDOCUMENTED: Final = frozenset(
    {
        "Athena",
        "HubContent",
        "BedrockCustomModel",
        "BedrockCustomModelDeployment",
        "BedrockProvisionedModelThroughput",
        "BedrockModelImport",
    }
)
"""Types that the API knows (PipelineExecutionStepMetadata) and whose arguments no source says."""


def module_name(type_name: str) -> str:
    """Return the name of the module that a Type has, here and among the local executors."""
    name = snake_case(type_name)
    return f"{name}_" if keyword.iskeyword(name) else name


@functools.cache
def names() -> tuple[str, ...]:
    """Return every known Type, sorted."""
    return tuple(
        sorted(path.stem for folder in __path__ for path in _shapes(folder).glob("*.json"))
    )


def shape_file(type_name: str) -> Path:
    """Return the file of a known Type's shapes, in whichever folder of this package it lies."""
    files = (_shapes(folder) / f"{type_name}.json" for folder in __path__)
    return next(file for file in files if file.is_file())


def _shapes(folder: str) -> Path:
    return Path(folder, "shapes")


@functools.cache
def find(name: str) -> StepType | None:
    """Return what is known about a Type, or None; imports that Type's module only."""
    if name not in names():
        return None
    module = importlib.import_module(f"{__name__}.{module_name(name)}")
    step_type: StepType = module.STEP_TYPE
    return step_type


def require(name: str) -> StepType:
    """Return what is known about a Type that a kind of ours names."""
    found = find(name)
    if found is None:
        message = f"a kind names the unknown Type {name}"
        raise AssertionError(message)
    return found


def find_alias(word: str) -> StepType | None:
    """Return the Type that others call by that word; imports every Type's module."""
    return next((found for found in every() if word in found.aliases), None)


def meant(word: str) -> str | None:
    """Return the Type that somebody probably means by a word that is none; imports every Type."""
    plain = word.removesuffix("Step")
    other = find_alias(plain)
    return other.name if other is not None else nearest(plain, names())


def find_listed(member: str) -> StepType | None:
    """Return the Type whose steps have that member of `Metadata` in ListPipelineExecutionSteps."""
    found = find(member)
    if found is not None and found.metadata == member:
        return found
    return next((found for found in every() if found.metadata == member), None)


@functools.cache
def every() -> tuple[StepType, ...]:
    """Return what is known about each Type; imports every Type's module."""
    return tuple(found for name in names() if (found := find(name)) is not None)
