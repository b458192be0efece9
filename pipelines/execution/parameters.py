"""Pipeline parameters: what was given at the start → typed values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from pipelines.execution.errors import InvalidError
from pipelines.json_types import Json, JsonObject

Scalar: TypeAlias = str | int | float | bool

_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_BOOLEANS = {"true": True, "false": False}


def typed_parameters(document: JsonObject, given: Mapping[str, str]) -> dict[str, Scalar]:
    """Return the value of every parameter of a definition.

    Args:
        document: the definition.
        given: the values of StartPipelineExecution: strings, whatever the type.

    Raises:
        InvalidError: a name the pipeline does not have, a value of the wrong
            type or outside `EnumValues`, or a parameter without default that is not given.
    """
    declared = {item["Name"]: item for item in document.get("Parameters") or []}
    for name in given:
        if name not in declared:
            raise InvalidError(f"the pipeline has no parameter `{name}`", _listing(declared))
    return {name: _value(item, given.get(name), declared) for name, item in declared.items()}


def shown(value: Scalar) -> str:
    """Write a typed value as the API carries it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(item: JsonObject, given: str | None, declared: Mapping[str, JsonObject]) -> Scalar:
    name = item["Name"]
    raw: Json = item.get("DefaultValue") if given is None else given
    if raw is None:
        raise InvalidError(
            f"parameter `{name}` has no default and is not given", _listing(declared)
        )
    value = _typed(item, raw)
    allowed = item.get("EnumValues")
    if allowed and value not in allowed:
        choices = ", ".join(f"`{choice}`" for choice in allowed)
        raise InvalidError(f"parameter `{name}` cannot be `{value}`", f"it can be {choices}")
    return value


def _typed(item: JsonObject, raw: Json) -> Scalar:
    """Turn a string of the API, or a default of the definition, into a value of the type."""
    text = shown(raw) if isinstance(raw, bool) else str(raw)
    match _type_of(item):
        case "String" if isinstance(raw, str):
            return raw
        case "Integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "Float" if _NUMBER.fullmatch(text):
            return float(text)
        case "Boolean" if text.lower() in _BOOLEANS:
            return _BOOLEANS[text.lower()]
        case "String" | "Integer" | "Float" | "Boolean":
            raise _wrong_type(item, text)
        case other:
            raise InvalidError(f"parameter `{item['Name']}` has the unknown type `{other}`")


def _wrong_type(item: JsonObject, text: str) -> InvalidError:
    kind = _type_of(item)
    example = {"Integer": "42", "Float": "0.5", "Boolean": "true"}.get(kind, '"text"')
    return InvalidError(
        f"parameter `{item['Name']}` is of type {kind}, `{text}` is not",
        f"write for example `{item['Name']}={example}`",
    )


def _type_of(item: JsonObject) -> str:
    """Return a parameter's type; one without is a String (the service's published schema)."""
    return str(item.get("Type") or "String")


def _listing(declared: Mapping[str, JsonObject]) -> str:
    if not declared:
        return "it has no parameters"
    described = (
        f"`{name}` ({_type_of(item)}"
        + (f", default {shown(item['DefaultValue'])})" if "DefaultValue" in item else ", required)")
        for name, item in declared.items()
    )
    return f"its parameters are {', '.join(described)}"
