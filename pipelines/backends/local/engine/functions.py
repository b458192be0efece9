"""Pipeline functions in a step's arguments → plain values (FACTS 1.6).

`Std:Join` writes strings as they are and everything else as JSON does: `0.5`, `1e-05`, `7`,
`true`. How the service writes floats is not documented; JSON's form is assumed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.grammar.functions import text_of
from pipelines.grammar.paths import PathError, follow, parse_json_path, parse_path
from pipelines.grammar.references import NESTED_STEPS, got, split_step
from pipelines.json_types import Json, JsonObject


class ResolutionError(PipelinesError):
    """A function in a step's arguments has no value: the step fails with this reason."""


@frozen
class Scope:
    """What the references of a step can see.

    Args:
        parameters: typed pipeline parameters.
        execution: the value of `Execution.<name>`, for each name.
        experiment: `PipelineExperimentConfig`, already resolved.
        properties: of each step that succeeded, its Describe response.
        steps: of each step, how it stands in the definition (its `PropertyFiles`).
        objects: the object store.
    """

    parameters: Mapping[str, Json]
    execution: Mapping[str, Callable[[], str]]
    experiment: Mapping[str, Json]
    properties: Mapping[str, JsonObject]
    steps: Mapping[str, JsonObject]
    objects: ObjectStore


def resolve(value: Json, scope: Scope) -> Json:
    """Resolve every function below a value; nested steps stay as they are.

    Raises:
        ResolutionError: a reference leads nowhere, or a file cannot be read as JSON.
    """
    reference = got(value)
    if reference is not None:
        return _get(reference, scope)
    if isinstance(value, list):
        return [resolve(item, scope) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Std:Join"}:
        return _join(value["Std:Join"], scope)
    if value.keys() == {"Std:JsonGet"}:
        return _json_get(value["Std:JsonGet"], scope)
    return {
        key: item if key in NESTED_STEPS else resolve(item, scope) for key, item in value.items()
    }


def _get(reference: str, scope: Scope) -> Json:
    step = split_step(reference)
    if step is not None:
        return _property(reference, step, scope)
    kind, _, name = reference.partition(".")
    if kind == "IterationOutput":  # a loop's selector: its own iterations give the value
        return {"Get": reference}
    if kind == "Parameters" and name in scope.parameters:
        return scope.parameters[name]
    if kind == "Execution" and name in scope.execution:
        return scope.execution[name]()
    if kind == "PipelineExperimentConfig" and name in scope.experiment:
        return scope.experiment[name]
    raise ResolutionError(f"`{reference}` is not defined")


def _property(reference: str, step: tuple[str, str], scope: Scope) -> Json:
    name, path = step
    if name not in scope.properties:
        raise ResolutionError(f"`{reference}` has no value: step `{name}` did not succeed")
    try:
        return follow(scope.properties[name], parse_path(path))
    except PathError as error:
        raise ResolutionError(f"`{reference}` has no value: {error}") from None


def _join(join: Json, scope: Scope) -> str:
    if not isinstance(join, dict) or not isinstance(join.get("Values"), list):
        raise ResolutionError("Std:Join takes a list of `Values`, and `On`")
    values = resolve(join["Values"], scope)
    return str(join.get("On", "")).join(text_of(value) for value in values)


def _json_get(function: JsonObject, scope: Scope) -> Json:
    uri = _file_uri(function, scope)
    path = str(resolve(function.get("Path", ""), scope))
    if not scope.objects.exists(uri):
        raise ResolutionError(f"Std:JsonGet reads {uri}, which does not exist")
    try:
        document = json.loads(scope.objects.get_bytes(uri))
    except ValueError:
        raise ResolutionError(f"Std:JsonGet reads {uri}, which is no JSON") from None
    try:
        return follow(document, parse_json_path(path))
    except PathError as error:
        raise ResolutionError(f"Std:JsonGet finds no `{path}` in {uri}: {error}") from None


def _file_uri(function: JsonObject, scope: Scope) -> str:
    if "S3Uri" in function:
        return str(resolve(function["S3Uri"], scope))
    reference = got(function.get("PropertyFile"))
    step = split_step(reference) if reference else None
    if step is None:
        raise ResolutionError(
            "Std:JsonGet takes `PropertyFile` as a Get of Steps.<name>.PropertyFiles.<file>, "
            "or `S3Uri`"
        )
    name, path = step
    wanted = parse_path(path)[-1]
    for entry in scope.steps[name].get("PropertyFiles") or []:
        if entry["PropertyFileName"] == wanted:
            output = f".ProcessingOutputConfig.Outputs['{entry['OutputName']}'].S3Output.S3Uri"
            folder = _property(f"Steps.{name}{output}", (name, output), scope)
            return f"{str(folder).rstrip('/')}/{resolve(entry['FilePath'], scope)}"
    raise ResolutionError(f"step `{name}` has no property file `{wanted}`")
