"""A step of the spec → what the request of its job says: inputs, outputs, arguments, variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Literal, TypeAlias

from pipelines.frozen import frozen
from pipelines.grammar.functions import to_json
from pipelines.graph.model import Node
from pipelines.json_types import Json, JsonObject
from pipelines.kinds.base.contract import EmitContext
from pipelines.testing.references import LOCAL, References

_CODE = "code"
"""The input that brings the bundle."""

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
    outputs: tuple[str, ...] = ()
    reports: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    metric_definitions: Mapping[str, str] = field(default_factory=dict)


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
        code="bundle.pyz",
    )
    for emitted in node.kind.emit(node.step, context):
        match emitted.type:
            case "Training":
                return _training(to_json(emitted.arguments))
            case "Processing":
                return _processing(to_json(emitted.arguments), to_json(emitted.extra))
            case _:
                pass
    return None


def _training(arguments: JsonObject) -> StepRequest:
    metrics = arguments["AlgorithmSpecification"].get("MetricDefinitions", ())
    sources = {one["ChannelName"]: one["DataSource"] for one in arguments["InputDataConfig"]}
    return StepRequest(
        inputs={
            name: _source(source.get("S3DataSource", {}).get("S3Uri"))
            for name, source in sources.items()
            if name != _CODE
        },
        environment=arguments.get("Environment", {}),
        option="hyperparameters",
        values=arguments.get("HyperParameters", {}),
        metric_definitions={one["Name"]: one["Regex"] for one in metrics},
    )


def _processing(arguments: JsonObject, extra: JsonObject) -> StepRequest:
    words = arguments["AppSpecification"].get("ContainerArguments", ())
    outputs = arguments.get("ProcessingOutputConfig", {}).get("Outputs", ())
    return StepRequest(
        inputs={
            one["InputName"]: _source(one["S3Input"]["S3Uri"])
            for one in arguments["ProcessingInputs"]
            if one["InputName"] != _CODE
        },
        environment=arguments.get("Environment", {}),
        option="arguments",
        values={n.removeprefix("--"): v for n, v in zip(words[::2], words[1::2], strict=True)},
        outputs=tuple(one["OutputName"] for one in outputs),
        reports={
            one["PropertyFileName"]: (one["OutputName"], one["FilePath"])
            for one in extra.get("PropertyFiles", ())
        },
    )


def _source(uri: Json) -> Path | str:
    """Return where local data lies, or what stands for data that is elsewhere."""
    match uri:
        case {"Get": str(reference)}:
            return reference
        case str() if uri.startswith(LOCAL):
            return Path(uri.removeprefix(LOCAL))
        case _:
            return str(uri or "a file system")
