"""The JSON schema of a model's key → what it accepts, in a few words."""

from __future__ import annotations

import json
from collections.abc import Callable

from pipelines.json_types import JsonObject


def type_of(value: JsonObject, named: Callable[[str], str] = str) -> str:
    """Describe in a few words what a key accepts.

    Args:
        value: the schema of the key.
        named: writes the name of a model.
    """
    forms = [form for form in value.get("anyOf", ()) if form.get("type") != "null"]
    if forms:
        return " or ".join(dict.fromkeys(type_of(form, named) for form in forms))
    if "const" in value or "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value.get("enum", [value.get("const")]))
    if "$ref" in value:
        return named(value["$ref"].rpartition("/")[2])
    if str(value.get("pattern", "")).startswith(r"^\$"):
        return "reference"
    return _plain_type(value, named)


def default_of(value: JsonObject) -> str:
    """Write the default of a key that is not required; nothing where it has none."""
    default = value.get("default")
    return "" if default in (None, [], {}, "") else json.dumps(default)


def long_form(definition: JsonObject) -> JsonObject:
    """Return the long form of a mapping that may also be written as a string."""
    for form in definition.get("anyOf", ()):
        if "properties" in form:
            found: JsonObject = form
            return found
    return definition


def _plain_type(value: JsonObject, named: Callable[[str], str]) -> str:
    match value:
        case {"type": "array", "items": items}:
            return f"list of {type_of(items, named)}"
        case {"type": "object", "additionalProperties": dict(items)} if items:
            return f"mapping of {type_of(items, named)}" if "properties" not in items else "mapping"
        case {"type": str(name)}:
            return name
        case {"type": types}:
            return " or ".join(types)
        case _:
            return "any"
