"""Pipeline parameters: what was given at the start → typed values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

from pipelines.definition.checks.parameters import LONGEST_VALUE
from pipelines.definition.values import refuse
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import shortened
from pipelines.execution.errors import InvalidError
from pipelines.grammar.numbers import read_number, read_whole
from pipelines.json_types import Json, JsonObject
from pipelines.spec.commit import COMMIT

Scalar: TypeAlias = str | int | float | bool

_BOOLEANS = {"true": True, "false": False}


def typed_parameters(
    document: JsonObject, given: Mapping[str, str], selected: Collection[str] = ()
) -> dict[str, Scalar]:
    """Return the value of every parameter of a definition.

    Args:
        document: the definition.
        given: the values of StartPipelineExecution: strings, whatever the type.
        selected: the names of the steps that are to run; empty for all.

    Raises:
        InvalidError: a name the pipeline does not have, a value of the wrong type, outside
            `EnumValues` or the service's limits, one that a step cannot run with, or a parameter
            without default that is not given.
    """
    declared = {item["Name"]: item for item in document.get("Parameters") or []}
    for name in given:
        if name not in declared:
            close = nearest(name, (known for known in declared if known != COMMIT))
            meant = f"did you mean `{close}`? " if close else ""
            problem = f"the pipeline has no parameter `{name}`"
            raise InvalidError(problem, f"{meant}{_listing(declared)}")
    values = {name: _value(item, given.get(name), declared) for name, item in declared.items()}
    refusal = refuse(document, values, selected)
    if refusal is not None:
        refused = (
            f"parameter `{n}` cannot be `{shortened(shown(values[n]))}`" for n in refusal.parameters
        )
        finding = refusal.finding
        message = ": ".join(filter(None, (", ".join(refused), finding.message)))
        raise InvalidError(f"{message} (step `{refusal.step}`)", finding.help)
    return values


def given_values(document: JsonObject, values: Mapping[str, str]) -> dict[str, str]:
    """Return those values of an execution that are not the defaults of its definition.

    The commit is left out: it says which code ran, and another start runs other code.
    """
    given: dict[str, str] = {}
    for item in document.get("Parameters") or []:
        name, default = item["Name"], item.get("DefaultValue")
        value = values.get(name)
        if value is None or name == COMMIT:
            continue
        if default is None or _typed(item, value) != _typed(item, default):
            given[name] = value
    return given


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
    if given is not None:
        _check_length(name, given)
    value = _typed(item, raw)
    allowed = item.get("EnumValues")
    if allowed and value not in allowed:
        choices = ", ".join(f"`{choice}`" for choice in allowed)
        raise InvalidError(f"parameter `{name}` cannot be `{value}`", f"it can be {choices}")
    return value


def _check_length(name: str, given: str) -> None:
    """Refuse a text that StartPipelineExecution refuses (FACTS 1.2)."""
    if not given:
        raise InvalidError(
            f"parameter `{name}` is empty, which the service refuses",
            "write a word that stands for nothing, such as `none`",
        )
    if len(given) > LONGEST_VALUE:
        raise InvalidError(
            f"parameter `{name}` has {len(given)} characters, but may have {LONGEST_VALUE}",
            "put a long text into a file, and name that",
        )


def _typed(item: JsonObject, raw: Json) -> Scalar:
    """Turn a string of the API, or a default of the definition, into a value of the type."""
    text = shown(raw) if isinstance(raw, bool) else str(raw)
    match _type_of(item):
        case "String" if isinstance(raw, str):
            return raw
        case "Integer" if (whole := read_whole(text)) is not None:
            return whole
        case "Float" if (number := read_number(text)) is not None:
            return number
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
    own = {name: item for name, item in declared.items() if name != COMMIT}
    if not own:
        return "it has no parameters"
    described = (
        f"`{name}` ({_type_of(item)}"
        + (f", default {shown(item['DefaultValue'])})" if "DefaultValue" in item else ", required)")
        for name, item in own.items()
    )
    return f"its parameters are {', '.join(described)}"
