"""Checks the top level of a definition and its parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Final

from pipelines.definition.model import (
    UNTYPED,
    Definition,
    error,
    error_on_key,
    warning,
)
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import suggestion
from pipelines.grammar.functions import is_function
from pipelines.json_types import Json, JsonObject

VERSION: Final = "2020-12-01"
MOST_PARAMETERS: Final = 200
MOST_STEPS: Final = 50
MOST_CHARACTERS: Final = 1_048_576

_CONFIGS: Final = {
    "PipelineExperimentConfig": ("ExperimentName", "TrialName"),
    "MlflowConfig": ("MlflowResourceArn", "MlflowExperimentName"),
}
_KEYS: Final = ("Version", "Metadata", "Parameters", *_CONFIGS, "Steps")
_PARAMETER_KEYS: Final = ("Name", "Type", "Description", "DefaultValue", "EnumValues")
_LONGEST_DESCRIPTION: Final = 4096
_NAME: Final = re.compile(r"[A-Za-z0-9\-_]{1,256}")
_PORTABLE_NAME: Final = 64

_IS_OF_TYPE: Final[dict[str, Callable[[Json], bool]]] = {
    "String": lambda value: isinstance(value, str),
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Boolean": lambda value: isinstance(value, bool),
}


def check_top(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with keys, version, configurations, parameters and sizes."""
    whole = definition.whole
    for key in whole:
        if key not in _KEYS:
            yield error_on_key(
                "SP501",
                (key,),
                f"unknown key `{key}` at the top of a definition",
                suggestion(key, _KEYS),
            )
    if whole.get("Version") != VERSION:
        yield error(
            "SP502",
            ("Version",) if "Version" in whole else (),
            f"`Version` has to be `{VERSION}`",
        )
    if not isinstance(whole.get("Metadata") or {}, dict):
        yield error("SP501", ("Metadata",), "`Metadata` has to be an object")
    for key, members in _CONFIGS.items():
        yield from _check_config(whole.get(key), key, members)
    yield from _check_parameters(whole.get("Parameters"))
    yield from _check_steps_list(definition)
    yield from _check_size(whole)


def _check_config(value: Json, key: str, members: tuple[str, ...]) -> Iterator[Finding]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield error("SP501", (key,), f"`{key}` has to be an object")
        return
    for member, inner in value.items():
        if member not in members:
            yield error_on_key(
                "SP501",
                (key, member),
                f"unknown key `{member}` in `{key}`",
                suggestion(member, members),
            )
        elif inner is not None and not isinstance(inner, str) and not is_function(inner):
            yield error("SP501", (key, member), f"`{member}` has to be a string")


def _check_steps_list(definition: Definition) -> Iterator[Finding]:
    steps = definition.whole.get("Steps")
    if not isinstance(steps, list) or not steps:
        path: Path = ("Steps",) if "Steps" in definition.whole else ()
        yield error("SP501", path, "`Steps` has to be a list of at least one step")
        return
    counted = [
        entry
        for entry in definition.entries
        if all(branch.argument != "ForEachBody" for branch in entry.within)
    ]
    if len(counted) > MOST_STEPS:
        yield error(
            "SP507",
            ("Steps",),
            f"the pipeline has {len(counted)} steps, but may have {MOST_STEPS}",
            "branches count (AWS General Reference, not adjustable); split the pipeline",
        )


def _check_size(whole: JsonObject) -> Iterator[Finding]:
    size = len(json.dumps(whole, separators=(",", ":"), ensure_ascii=False, default=str))
    if size > MOST_CHARACTERS:
        yield error(
            "SP507",
            (),
            f"the definition has {size} characters, but may have {MOST_CHARACTERS}",
            "CreatePipeline takes no more, from S3 neither",
        )


def _check_parameters(parameters: Json) -> Iterator[Finding]:
    if parameters is None:
        return
    if not isinstance(parameters, list):
        yield error("SP503", ("Parameters",), "`Parameters` has to be a list")
        return
    if len(parameters) > MOST_PARAMETERS:
        yield error(
            "SP507",
            ("Parameters",),
            f"the pipeline has {len(parameters)} parameters, but may have {MOST_PARAMETERS}",
            "AWS General Reference, not adjustable",
        )
    seen: set[str] = set()
    for index, parameter in enumerate(parameters):
        path = ("Parameters", index)
        if not isinstance(parameter, dict):
            yield error("SP503", path, "a parameter has to be an object")
            continue
        yield from _check_parameter(parameter, path)
        name = parameter.get("Name")
        if isinstance(name, str):
            if name in seen:
                yield error("SP503", (*path, "Name"), f"there are two parameters `{name}`")
            seen.add(name)


def _check_parameter(parameter: JsonObject, path: Path) -> Iterator[Finding]:
    for key in parameter:
        if key not in _PARAMETER_KEYS:
            yield error_on_key(
                "SP503",
                (*path, key),
                f"unknown key `{key}` in a parameter",
                suggestion(key, _PARAMETER_KEYS),
            )
    yield from _check_parameter_name(parameter.get("Name"), path)
    yield from _check_parameter_description(parameter.get("Description"), path)
    type_name = parameter.get("Type")
    if type_name is None:
        type_name = UNTYPED
        yield warning(
            "SP503",
            path,
            f"`Type` is missing in a parameter; the service's schema takes it for a {UNTYPED}",
            f'write "Type": "{UNTYPED}"',
        )
    if not isinstance(type_name, str) or type_name not in _IS_OF_TYPE:
        yield error(
            "SP503",
            (*path, "Type"),
            f"`{type_name}` is no type of a parameter",
            suggestion(str(type_name), _IS_OF_TYPE),
        )
        return
    yield from _check_parameter_values(parameter, type_name, path)


def _check_parameter_description(text: Json, path: Path) -> Iterator[Finding]:
    """Yield on a description outside the service's published schema, which the SDK never writes."""
    if text is None:
        return
    if not isinstance(text, str):
        yield error("SP503", (*path, "Description"), "`Description` has to be a string")
    elif len(text) > _LONGEST_DESCRIPTION:
        message = f"`Description` has {len(text)} characters, but may have {_LONGEST_DESCRIPTION}"
        yield error("SP503", (*path, "Description"), message)


def _check_parameter_name(name: Json, path: Path) -> Iterator[Finding]:
    if name is None:
        yield error("SP503", path, "`Name` is missing in a parameter")
    elif not isinstance(name, str) or _NAME.fullmatch(name) is None:
        yield error(
            "SP503",
            (*path, "Name"),
            f"`{name}` is no name of a parameter",
            "use letters, digits, `-` and `_`",
        )
    elif len(name) > _PORTABLE_NAME:
        yield warning(
            "SP503",
            (*path, "Name"),
            f"`{name}` has more than {_PORTABLE_NAME} characters, which not every tool takes",
        )


def _check_parameter_values(parameter: JsonObject, type_name: str, path: Path) -> Iterator[Finding]:
    default, allowed = parameter.get("DefaultValue"), parameter.get("EnumValues")
    if default is not None and not _IS_OF_TYPE[type_name](default):
        yield error(
            "SP503",
            (*path, "DefaultValue"),
            f"`DefaultValue` of `{parameter.get('Name')}` is no {type_name}",
        )
    if allowed is None:
        return
    if type_name != "String":
        yield error(
            "SP503",
            (*path, "EnumValues"),
            f"`EnumValues` may stand on a String parameter only, not on {type_name}",
        )
    elif not isinstance(allowed, list) or not all(isinstance(value, str) for value in allowed):
        yield error("SP503", (*path, "EnumValues"), "`EnumValues` has to be a list of strings")
    elif isinstance(default, str) and default not in allowed:
        yield error(
            "SP503",
            (*path, "DefaultValue"),
            f"`{default}` is not among the `EnumValues`",
            suggestion(default, allowed),
        )
