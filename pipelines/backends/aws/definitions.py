"""What a definition names: the groups that it registers in, the endpoints that it deploys to."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pipelines.json_types import Json, JsonObject
from pipelines.programs.deploy.target import ENDPOINT

_PARAMETER = "Parameters."


def groups_of(definition: str) -> Iterator[str]:
    """Yield the model package groups that a definition registers in."""
    for step in _objects(_read(definition)):
        name = step.get("ModelPackageGroupName")
        if isinstance(name, str):
            yield name


def endpoints_of(definition: str) -> Iterator[str]:
    """Yield the endpoints that a definition's deployment steps deploy to.

    One that is a parameter has the parameter's default; what an execution decides is left out.
    """
    document = _read(definition)
    defaults = {
        f"{_PARAMETER}{item.get('Name')}": item.get("DefaultValue")
        for item in document.get("Parameters") or ()
    }
    for variables in _objects(document):
        name = variables.get(ENDPOINT)
        if isinstance(name, dict):
            name = defaults.get(str(name.get("Get")))
        if isinstance(name, str):
            yield name


def _read(definition: str) -> JsonObject:
    """Read a definition; somebody else's may be anything, and names nothing then."""
    try:
        document = json.loads(definition)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _objects(value: Json) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _objects(part)
