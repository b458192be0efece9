"""The functions that may stand for any value of a definition (FACTS 1.6).

`{"Get": …}`, `{"Std:Join": …}` and `{"Std:JsonGet": …}`, as JSON and as values; what a `Get`
names; and how a value becomes a text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from pipelines.frozen import frozen
from pipelines.grammar.paths import Key, PathError, parse_path
from pipelines.json_types import Json, JsonObject

GET: Final = "Get"
JOIN: Final = "Std:Join"
JSON_GET: Final = "Std:JsonGet"
FUNCTIONS: Final = (GET, JOIN, JSON_GET)

PARAMETERS: Final = "Parameters"
EXECUTION: Final = "Execution"
EXPERIMENT: Final = "PipelineExperimentConfig"
STEPS: Final = "Steps"
LOOP: Final = "ForEach"
ITERATION: Final = "IterationOutput"
ROOTS: Final = (PARAMETERS, EXECUTION, EXPERIMENT, STEPS, LOOP, ITERATION)
"""First words of what a `Get` names."""

EXECUTION_VARIABLES: Final = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)
"""Names after `Execution.` (SDK core/workflow/execution_variables.py)."""

PROPERTY_FILES: Final = "PropertyFiles"

_WITH_PATH: Final = frozenset({STEPS, LOOP, ITERATION})


@frozen
class ReferenceTarget:
    """What a `Get` names, as `Steps.train.ModelArtifacts.S3ModelArtifacts`.

    Args:
        text: all of it.
        root: its first word, one of `ROOTS` when it is right.
        name: the word behind that: a parameter, a variable, a step.
        path: what is behind the name of a step, as `.ModelArtifacts.S3ModelArtifacts`.
    """

    text: str
    root: str
    name: str
    path: str

    @property
    def step(self) -> str | None:
        """The step whose property it is; None for anything else."""
        return self.name if self.root == STEPS and self.name else None


def parse_target(text: str) -> ReferenceTarget:
    """Return what the text of a `Get` names; every text names something, if nothing that exists."""
    root, _, rest = text.partition(".")
    name = rest.partition(".")[0].partition("[")[0] if root in _WITH_PATH else rest
    return ReferenceTarget(text, root, name, rest[len(name) :])


def target_of(value: Json) -> ReferenceTarget | None:
    """Return what a `Get` names, None for any other value."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get(GET), str):
        return parse_target(value[GET])
    return None


@frozen
class Get:
    """`{"Get": target}`."""

    target: str


@frozen
class Join:
    """`{"Std:Join": {"On": on, "Values": values}}`."""

    on: str
    values: tuple[Value, ...]


@frozen
class PropertyFile:
    """A JSON file among the outputs of a processing step, by the name that the step gives it."""

    step: str
    name: str


@frozen
class JsonGet:
    """A value out of a JSON file: a property file, or any object by its S3 URI."""

    file: PropertyFile | Value
    path: Value


Value: TypeAlias = "str | int | float | bool | Get | Join | JsonGet"


def is_function(value: Json) -> bool:
    """Return whether a value is meant as a function, well formed or not."""
    return isinstance(value, dict) and any(
        key == GET or (isinstance(key, str) and key.startswith("Std:")) for key in value
    )


def to_json(value: Json) -> Json:
    """Return a structure with the functions in it as JSON."""
    match value:
        case Get(target=target):
            return {GET: target}
        case Join(on=on, values=values):
            return {JOIN: {"On": on, "Values": [to_json(one) for one in values]}}
        case JsonGet(file=file, path=path):
            return {JSON_GET: {**_file_to_json(file), "Path": to_json(path)}}
        case dict():
            return {key: to_json(item) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item) for item in value]
        case _:
            return value


def _file_to_json(file: PropertyFile | Value) -> JsonObject:
    if isinstance(file, PropertyFile):
        return {"PropertyFile": {GET: f"{STEPS}.{file.step}.{PROPERTY_FILES}.{file.name}"}}
    return {"S3Uri": to_json(file)}


def from_json(value: Json) -> Json:
    """Return a structure with its well-formed functions as values: the reverse of `to_json`."""
    function = function_of(value)
    if function is not None:
        return function
    if isinstance(value, dict):
        return {key: from_json(item) for key, item in value.items()}
    return [from_json(item) for item in value] if isinstance(value, list) else value


def function_of(value: Json) -> Get | Join | JsonGet | None:
    """Return a function that stands as JSON; None for any other value, an ill-formed one too."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    match value:
        case {"Get": str(target)}:
            return Get(target)
        case {"Std:Join": {"Values": list(values), **more}}:
            on = more.get("On", "")
            return Join(on, tuple(map(from_json, values))) if isinstance(on, str) else None
        case {"Std:JsonGet": dict(body)}:
            file = _file_of(body)
            return None if file is None else JsonGet(file, from_json(body.get("Path", "")))
        case _:
            return None


def _file_of(body: JsonObject) -> PropertyFile | Value | None:
    if "S3Uri" in body:
        uri: Value = from_json(body["S3Uri"])
        return uri
    target = target_of(body.get("PropertyFile"))
    return property_file_of(target) if target else None


def property_file_of(target: ReferenceTarget) -> PropertyFile | None:
    """Return the property file that a `Get` names, behind a dot or in brackets."""
    if target.step is None:
        return None
    name = target.path.removeprefix(f".{PROPERTY_FILES}.")
    if name == target.path:
        try:
            match parse_path(target.path):
                case ("PropertyFiles", Key() as name):
                    pass
                case _:
                    return None
        except PathError:
            return None
    return PropertyFile(target.step, name) if name else None


def with_parameters(value: Json, parameters: Mapping[str, Json]) -> Json:
    """Return a value with the parameters in it replaced by their values.

    A join of known parts becomes its text. What is not known stays a function, and so does a
    join with a part that is not known or that no join takes.
    """
    match function_of(value):
        case Get(target=target):
            named = parse_target(target)
            known = named.root == PARAMETERS and named.name in parameters
            return parameters[named.name] if known else value
        case Join(on=on, values=parts):
            found = [with_parameters(to_json(part), parameters) for part in parts]
            unknown = any(isinstance(part, dict | list) for part in found)
            return value if unknown else on.join(map(text_of, found))
        case JsonGet():
            return value
        case None:
            pass
    if isinstance(value, dict):
        return {key: with_parameters(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        return [with_parameters(item, parameters) for item in value]
    return value


def parameters_in(value: Json) -> Iterator[str]:
    """Yield the names of the parameters that a value refers to."""
    target = target_of(value)
    if target is not None:
        if target.root == PARAMETERS:
            yield target.name
    elif isinstance(value, dict):
        for item in value.values():
            yield from parameters_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from parameters_in(item)


def join_path(*values: Value) -> Value:
    """Join parts of an S3 URI with `/`; literals stay a plain text."""
    if all(isinstance(value, str) for value in values):
        return "/".join(map(str, values))
    return Join("/", tuple(values))


def concatenate(values: Iterable[Value]) -> Value:
    """Join texts with nothing in between."""
    return Join("", tuple(values))


def result_type(value: Json, parameters: Mapping[str, str]) -> str | None:
    """Return what a function's result is, as a parameter type; None where nobody can know.

    Args:
        value: a function, as JSON.
        parameters: name → `String`, `Integer`, `Float` or `Boolean`.
    """
    if JOIN in value:
        return "String"
    target = value.get(GET)
    if not isinstance(target, str):
        return None
    named = parse_target(target)
    if named.root == PARAMETERS:
        return parameters.get(named.name)
    return "String" if named.root in {EXECUTION, EXPERIMENT} else None


def text_of(value: Json) -> str:
    """Return a value as `Std:Join` writes it: a string as it is, everything else as JSON.

    How the service writes floats is not documented; JSON's form is assumed.
    """
    return value if isinstance(value, str) else json.dumps(value)
