"""Checks the parameters of a definition, one by one; `values.py` checks where they go."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from pipelines.definition.findings import Keys, error, warning
from pipelines.definition.steps import UNTYPED, Definition
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import in_words, suggestion
from pipelines.grammar.numbers import as_float
from pipelines.json_types import Json, JsonObject

_KEYS: Final = Keys(
    "SP503",
    "a parameter",
    ("Name", "Type", "Description", "DefaultValue", "EnumValues"),
    ("Name", "Type"),
)
_LONGEST_DESCRIPTION: Final = 4096
_LONGEST_DEFAULT: Final = 4096
LONGEST_VALUE: Final = 1024
"""Characters of a value that is given at the start (StartPipelineExecution)."""

_NAME: Final = re.compile(r"[A-Za-z0-9\-_]{1,256}")
_PORTABLE_NAME: Final = 64

_IS_OF_TYPE: Final[dict[str, Callable[[Json], bool]]] = {
    "String": lambda value: isinstance(value, str),
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and as_float(value) is not None
    ),
    "Boolean": lambda value: isinstance(value, bool),
}


def is_of_type(value: Json, type_name: str) -> bool:
    """Return whether a value is one of a parameter of that type."""
    return type_name in _IS_OF_TYPE and _IS_OF_TYPE[type_name](value)


def check(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with each parameter, and names that stand twice."""
    parameters = definition.whole.get("Parameters")
    if parameters is None:
        return
    if not isinstance(parameters, list):
        yield error("SP503", ("Parameters",), "`Parameters` has to be a list")
        return
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
    mistakes = _KEYS.compare(parameter)
    yield from _KEYS.unknown(mistakes, path)
    if "Name" in mistakes.missing:
        yield error("SP503", path, "`Name` is missing in a parameter")
    yield from _check_name(parameter, path)
    yield from _check_description(parameter.get("Description"), path)
    if "Type" in mistakes.missing:
        yield warning(
            "SP503",
            path,
            f"`Type` is missing in a parameter; the service's schema takes it for a {UNTYPED}",
            f'write "Type": "{UNTYPED}"',
        )
    if not mistakes.means("Type"):
        yield from _check_type(parameter, path)


def _check_name(parameter: JsonObject, path: Path) -> Iterator[Finding]:
    name = parameter.get("Name", "")
    if "Name" not in parameter:
        return
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        yield error(
            "SP503",
            (*path, "Name"),
            f"{in_words(name)} is not a valid parameter name",
            "use letters, digits, `-` and `_`",
        )
    elif len(name) > _PORTABLE_NAME:
        yield warning(
            "SP503",
            (*path, "Name"),
            f"`{name}` has more than {_PORTABLE_NAME} characters, which not every tool takes",
        )


def _check_description(text: Json, path: Path) -> Iterator[Finding]:
    """Yield on a description outside the service's published schema, which the SDK never writes."""
    if text is None:
        return
    if not isinstance(text, str):
        yield error("SP503", (*path, "Description"), "`Description` has to be a string")
    elif len(text) > _LONGEST_DESCRIPTION:
        message = f"`Description` has {len(text)} characters, but may have {_LONGEST_DESCRIPTION}"
        yield error("SP503", (*path, "Description"), message)


def _check_type(parameter: JsonObject, path: Path) -> Iterator[Finding]:
    type_name = parameter.get("Type", UNTYPED)
    if isinstance(type_name, str) and type_name in _IS_OF_TYPE:
        yield from _check_values(parameter, type_name, path)
        return
    yield error(
        "SP503",
        (*path, "Type"),
        f"{in_words(type_name)} is not a parameter type",
        suggestion(type_name if isinstance(type_name, str) else "", _IS_OF_TYPE),
    )


def _check_values(parameter: JsonObject, type_name: str, path: Path) -> Iterator[Finding]:
    default, allowed = parameter.get("DefaultValue"), parameter.get("EnumValues")
    if default is not None and not _IS_OF_TYPE[type_name](default):
        yield error(
            "SP503",
            (*path, "DefaultValue"),
            f"`DefaultValue` of {in_words(parameter.get('Name'))} is not of type {type_name}",
        )
    yield from _check_length(default, (*path, "DefaultValue"))
    if allowed is None:
        return
    if type_name != "String":
        yield error(
            "SP503",
            (*path, "EnumValues"),
            f"`EnumValues` may stand on a String parameter only, not on {type_name}",
        )
        return
    if not isinstance(allowed, list) or not all(isinstance(value, str) for value in allowed):
        yield error("SP503", (*path, "EnumValues"), "`EnumValues` has to be a list of strings")
        return
    for index, value in enumerate(allowed):
        yield from _check_length(value, (*path, "EnumValues", index))
    if isinstance(default, str) and default not in allowed:
        yield error(
            "SP503",
            (*path, "DefaultValue"),
            f"{in_words(default)} is not among the `EnumValues`",
            suggestion(default, allowed),
        )


def _check_length(value: Json, path: Path) -> Iterator[Finding]:
    """Yield on a text that cannot be given at the start, and on one that no definition holds."""
    if not isinstance(value, str):
        return
    if len(value) > _LONGEST_DEFAULT:
        yield error(
            "SP503",
            path,
            f"the value has {len(value)} characters, but may have {_LONGEST_DEFAULT}",
        )
    elif len(value) > LONGEST_VALUE:
        yield warning(
            "SP503",
            path,
            f"the value has {len(value)} characters, but StartPipelineExecution takes no more"
            f" than {LONGEST_VALUE}",
        )
