"""A step of the spec → what the request of its job says: inputs, outputs, arguments, variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from pipelines.frozen import frozen
from pipelines.grammar.functions import to_json
from pipelines.graph.model import Node
from pipelines.json_types import Json, JsonObject
from pipelines.kinds.base.contract import EmitContext
from pipelines.runtime.container import CODE, RESERVED
from pipelines.steptypes import require
from pipelines.steptypes.places import value_at
from pipelines.steptypes.steptype import DataPlace
from pipelines.testing.known_values import LOCAL, References

ScriptOption: TypeAlias = Literal["hyperparameters", "arguments"]


@frozen
class StepRequest:
    """What a step's job is given and what it leaves; what only a test can give is a `Get`.

    Args:
        inputs: by name: the place of local data, or a text that says what it is.
        environment: its variables.
        option: whether its script gets hyperparameters or arguments.
        values: those, by name.
        outputs: the names of processing outputs.
        reports: property file → output and path in it.
        metric_definitions: name → regular expression.
    """

    inputs: Mapping[str, Path | str]
    environment: Mapping[str, Json]
    option: ScriptOption
    values: Mapping[str, Json]
    outputs: tuple[str, ...]
    reports: Mapping[str, tuple[str, str]]
    metric_definitions: Mapping[str, str]


def request_of(node: Node, references: References) -> StepRequest | None:
    """Emit a step; None where it starts no job, or one that works on the account."""
    needs = node.kind.needs(node.name, node.step)
    if needs.code is None or needs.code.account:
        return None
    context = EmitContext(
        name=node.name,
        spec=references.graph.spec,
        resolve=references.resolve,
        images=dict.fromkeys(needs.images, "image"),
        code="s3://tests/bundle.pyz",
    )
    for emitted in node.kind.emit(node.step, context):
        arguments, step_type = to_json(emitted.arguments), require(emitted.type)
        inputs = dict(_entries(step_type.inputs, arguments))
        if inputs.pop(CODE, None) is not None:
            job = arguments.get("TrainingJobDefinition", arguments)
            return StepRequest(
                inputs={name: _source(uri) for name, uri in inputs.items()},
                environment=job.get("Environment", {}),
                option="hyperparameters" if needs.code.job == "training" else "arguments",
                values=_values(job),
                outputs=tuple(name for name, _ in _entries(step_type.outputs, arguments)),
                reports=_reports(to_json(emitted.extra)),
                metric_definitions=_metric_definitions(job),
            )
    return None


def _entries(places: Iterable[DataPlace], arguments: JsonObject) -> Iterator[tuple[str, Json]]:
    """Yield name and URI of the inputs or outputs of a request."""
    for place in places:
        yield from ((name, value_at(one, place.uri)) for name, one in place.entries(arguments))


def _reports(extra: JsonObject) -> dict[str, tuple[str, str]]:
    files = extra.get("PropertyFiles", ())
    return {one["PropertyFileName"]: (one["OutputName"], one["FilePath"]) for one in files}


def _values(job: JsonObject) -> JsonObject:
    """Return what the script gets: a tuning step's own are those that its jobs share."""
    given = {**job.get("HyperParameters", {}), **job.get("StaticHyperParameters", {})}
    own = {name: value for name, value in given.items() if not name.startswith(RESERVED)}
    return {**own, **_script_arguments(job)}


def _script_arguments(arguments: JsonObject) -> JsonObject:
    words = value_at(arguments, "AppSpecification.ContainerArguments") or ()
    return {n.removeprefix("--"): v for n, v in zip(words[::2], words[1::2], strict=True)}


def _metric_definitions(arguments: JsonObject) -> dict[str, str]:
    given = value_at(arguments, "AlgorithmSpecification.MetricDefinitions") or ()
    return {one["Name"]: one["Regex"] for one in given}


def _source(uri: Json) -> Path | str:
    """Return where local data lies, or what stands for data that is elsewhere."""
    match uri:
        case {"Get": str(reference)}:
            return reference
        case str() if uri.startswith(LOCAL):
            return Path(uri.removeprefix(LOCAL))
        case _:
            return str(uri or "a file system")
