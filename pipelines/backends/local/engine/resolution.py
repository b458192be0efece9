"""Pipeline functions in a step's arguments → plain values (FACTS 1.6)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping

from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.grammar.functions import (
    GET,
    JOIN,
    Get,
    Join,
    JsonGet,
    PropertyFile,
    ReferenceTarget,
    function_of,
    parse_target,
    text_of,
)
from pipelines.grammar.paths import PathError, follow, parse_json_path, parse_path
from pipelines.json_types import Json, JsonObject


class ResolutionError(PipelinesError):
    """A function in a step's arguments has no value; the step fails with this reason."""


@frozen
class ReferenceScope:
    """What the references of a step can see.

    Args:
        parameters: typed pipeline parameters.
        execution: the value of `Execution.<name>`, for each name.
        experiment: `PipelineExperimentConfig`, already resolved.
        properties: of each step that succeeded, its Describe response.
        steps: of each step, its entry in the definition (for `PropertyFiles`).
        objects: the object store.
    """

    parameters: Mapping[str, Json]
    execution: Mapping[str, Callable[[], str]]
    experiment: Mapping[str, Json]
    properties: Mapping[str, JsonObject]
    steps: Mapping[str, JsonObject]
    objects: ObjectStore


def resolve(value: Json, scope: ReferenceScope) -> Json:
    """Resolve every function below a value.

    Raises:
        ResolutionError: a reference leads nowhere, or a file cannot be read as JSON.
    """
    match function_of(value) or value:
        case Get(target=target):
            return _get(parse_target(target), scope)
        case Join(on=on, values=values):
            return on.join(text_of(resolve(one, scope)) for one in values)
        case JsonGet() as function:
            return _json_get(function, scope)
        case {"Std:Join": _} | {"Std:JsonGet": _} if len(value) == 1:
            raise _ill_formed(*value)
        case list():
            return [resolve(item, scope) for item in value]
        case dict():
            return {key: resolve(item, scope) for key, item in value.items()}
        case float() if not math.isfinite(value):
            raise ResolutionError(f"`{value}` is not a number that JSON has")
        case _:
            return value


def _ill_formed(function: str) -> ResolutionError:
    if function == JOIN:
        return ResolutionError("Std:Join takes a list of `Values`, and `On`")
    return ResolutionError(
        "Std:JsonGet takes `PropertyFile` as a Get of Steps.<name>.PropertyFiles.<file>, or `S3Uri`"
    )


def _get(target: ReferenceTarget, scope: ReferenceScope) -> Json:
    if target.step is not None:
        return _property(target, scope)
    known: Mapping[str, Json] = {}
    match target.root:
        case "IterationOutput":  # a loop's selector: the value comes from its own iterations
            return {GET: target.text}
        case "Parameters":
            known = scope.parameters
        case "Execution" if target.name in scope.execution:
            return scope.execution[target.name]()
        case "PipelineExperimentConfig":
            known = scope.experiment
        case _:
            pass
    if target.name not in known:
        raise ResolutionError(f"`{target.text}` is not defined")
    return known[target.name]


def _property(target: ReferenceTarget, scope: ReferenceScope) -> Json:
    if target.name not in scope.properties:
        raise ResolutionError(f"`{target.text}` has no value: step `{target.name}` did not succeed")
    try:
        value = follow(scope.properties[target.name], parse_path(target.path))
    except PathError as error:
        raise ResolutionError(f"`{target.text}` has no value: {error}") from None
    return _finite(value, f"`{target.text}`")


def _json_get(function: JsonGet, scope: ReferenceScope) -> Json:
    file, path = function.file, str(resolve(function.path, scope))
    uri = _uri(file, scope) if isinstance(file, PropertyFile) else str(resolve(file, scope))
    if not scope.objects.exists(uri):
        raise ResolutionError(f"Std:JsonGet reads {uri}, which does not exist")
    try:
        document = json.loads(scope.objects.get_bytes(uri))
    except (ValueError, RecursionError):
        raise ResolutionError(f"Std:JsonGet reads {uri}, which is not JSON") from None
    try:
        value = follow(document, parse_json_path(path))
    except PathError as error:
        raise ResolutionError(f"Std:JsonGet finds no `{path}` in {uri}: {error}") from None
    return _finite(value, f"`{path}` in {uri}")


def _finite(value: Json, named: str) -> Json:
    """Return a value that JSON has.

    Python's `json` writes and reads NaN and Infinity, and reads `1e400` as the latter. Every
    comparison with NaN is false: a condition over it would take a branch without any reason.

    Raises:
        ResolutionError: it is, or holds, another number.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ResolutionError(
            f"{named} is {value}, which is not a number that JSON has",
            "write a finite number, or leave the key out",
        )
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _finite(item, f"a part of {named}")
    return value


def _uri(file: PropertyFile, scope: ReferenceScope) -> str:
    for entry in scope.steps[file.step].get("PropertyFiles") or []:
        if entry["PropertyFileName"] == file.name:
            output = f".ProcessingOutputConfig.Outputs['{entry['OutputName']}'].S3Output.S3Uri"
            folder = _get(parse_target(f"Steps.{file.step}{output}"), scope)
            return f"{str(folder).rstrip('/')}/{resolve(entry['FilePath'], scope)}"
    raise ResolutionError(f"step `{file.step}` has no property file `{file.name}`")
