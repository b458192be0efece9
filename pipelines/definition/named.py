"""What a definition names: the groups that it registers in, and its texts as far as known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import takewhile

from pipelines.grammar.functions import Join, function_of, text_of, with_parameters
from pipelines.json_types import Json, JsonObject


def groups_of(*definitions: str) -> tuple[str, ...]:
    """Name the model package groups that definitions register in, each once."""
    steps = (step for definition in definitions for step in objects_of(read(definition)))
    names = (step.get("ModelPackageGroupName") for step in steps)
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def defaults_of(document: JsonObject) -> dict[str, str]:
    """Read the defaults of a definition's parameters, as text."""
    listed = document.get("Parameters") or ()
    return {i["Name"]: text_of(i["DefaultValue"]) for i in listed if "DefaultValue" in i}


def known_text(value: Json, parameters: Mapping[str, str]) -> str | None:
    """Write a text of a definition; None where it is none, or comes out of an execution.

    Args:
        value: a text, a reference to a parameter, or several of them joined.
        parameters: the values of parameters.
    """
    known = with_parameters(value, parameters)
    return known if isinstance(known, str) else None


def known_beginning(value: Json) -> str:
    """Return the beginning of a text that is known before the pipeline runs; empty for no text."""
    match function_of(value) or value:
        case str():
            return str(value)
        case Join(on=on, values=parts):
            known = tuple(takewhile(lambda part: isinstance(part, str), parts))
            return on.join(map(str, known if len(known) == len(parts) else (*known, "")))
        case _:
            return ""


def read(definition: str) -> JsonObject:
    """Read a definition; somebody else's may be anything, and names nothing then."""
    try:
        document = json.loads(definition)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def objects_of(value: Json) -> Iterator[JsonObject]:
    """Yield every JSON object in a value, at any depth."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from objects_of(part)
