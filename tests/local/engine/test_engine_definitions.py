"""Real definitions of public repositories run to their end over generic answers."""

from __future__ import annotations

import functools
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import botocore
import pytest

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.backends.local.executors.stub import merged, synthesized
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.definition.steps import take_apart
from pipelines.execution.status import StepStatus
from pipelines.grammar.paths import parse_path
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import find
from pipelines.steptypes.places import value_at

if TYPE_CHECKING:
    from pipelines.backends.local.settings import LocalSettings

FOLDER = Path(__file__).parents[4] / "shared" / "definitions"
FILES = sorted(FOLDER.glob("*.json"))
BAD = [path for path in FILES if path.stem.startswith("negative__")]
GOOD = [path for path in FILES if path not in BAD]
DEPTH = 4


@functools.cache
def _shapes() -> JsonObject:
    """Read botocore's SageMaker model as plain JSON."""
    root = Path(botocore.__file__).parent / "data" / "sagemaker" / "2017-07-24"
    with gzip.open(root / "service-2.json.gz") as file:
        shapes: JsonObject = json.load(file)["shapes"]
    return shapes


def _example(name: str, depth: int = DEPTH) -> Json:
    """Make up a value of a shape."""
    shape = _shapes()[name]
    match shape["type"]:
        case "structure" if depth:
            members = shape["members"].items()
            return {key: _example(member["shape"], depth - 1) for key, member in members}
        case "list" if depth:
            return [_example(shape["member"]["shape"], depth - 1)] * 2
        case "structure" | "map":
            return {}
        case "list":
            return []
        case kind:
            scalars = {"integer": 1, "long": 1, "float": 0.5, "double": 0.5, "boolean": False}
            return scalars.get(kind, "text")


def _answer(call: StepCall) -> StepOutcome:
    """Answer with a made-up Describe response, the step's own arguments over it."""
    step_type = find(str(call.step["Type"]))
    shape = step_type.describe if step_type else None
    made_up = _example(shape) if shape in _shapes() else {}
    extra: JsonObject = {
        "TrainingJobSummaries": [{"TrainingJobName": f"best-{rank}"} for rank in range(2)],
        "CalculatedBaselineStatistics": "s3://bucket/statistics.json",
        "CalculatedBaselineConstraints": "s3://bucket/constraints.json",
        "BaselineUsedForDriftCheckStatistics": "s3://bucket/statistics.json",
        "BaselineUsedForDriftCheckConstraints": "s3://bucket/constraints.json",
    }
    if call.step["Type"] == "Condition":
        extra["Outcome"] = "True"
    return StepOutcome(StepStatus.SUCCEEDED, merged(merged(made_up, extra), synthesized(call)))


def _json_gets(value: Json) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        if "Std:JsonGet" in value:
            yield value["Std:JsonGet"]
        for item in value.values():
            yield from _json_gets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _json_gets(item)


def _report(paths: list[str]) -> Json:
    """Build a document that has a number at each path."""
    report: JsonObject = {}
    for text in paths:
        *parents, last = [str(token) for token in parse_path(text)]
        place = report
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = 0.5
    return report


def _flat(steps: Json) -> Iterator[JsonObject]:
    yield from (step.whole for step in take_apart({"Steps": steps}).steps)


def _given(document: JsonObject) -> list[JsonObject]:
    values = {"Integer": "1", "Float": "0.5", "Boolean": "true", "String": "s3://bucket/given"}
    return [
        {"Name": item["Name"], "Value": values[item["Type"]]}
        for item in document.get("Parameters", [])
        if "DefaultValue" not in item
    ]


@pytest.mark.skipif(not FILES, reason="../shared/definitions is not here")
@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_real_definition_is_resolved_and_scheduled_to_its_end(
    settings: LocalSettings, path: Path
) -> None:
    """Every reference has a value and every step of the taken branches runs."""
    text = path.read_text(encoding="utf-8").replace("${DefaultBucket}", "bucket")
    text = re.sub(
        r'("S3OutputPath":\s*)""', r'\1"s3://bucket/out"', text
    )  # a template leaves it open
    document = json.loads(text)
    answers: dict[str, StepOutcome] = {}

    def answer(call: StepCall) -> StepOutcome:
        outcome = answers[call.name] = _answer(call)
        _write_outputs(service, document, call, outcome.properties)
        if call.step["Type"] == "Processing":
            _write_reports(service, document, call, outcome.properties)
        return outcome

    with LocalSageMaker(settings, EngineParts(executors=lambda _: answer)) as service:
        service.create_pipeline(
            PipelineName="p", PipelineDefinition=text, RoleArn="arn:aws:iam::000000000000:role/x"
        )
        arn = service.start_pipeline_execution(
            PipelineName="p", PipelineParameters=_given(document)
        )["PipelineExecutionArn"]
        status = service.run(arn, RunOptions(max_parallel=4))
        steps = service.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    reasons = {
        step["StepName"]: step["FailureReason"]
        for step in steps["PipelineExecutionSteps"]
        if "FailureReason" in step
    }
    assert reasons == {}
    assert status == "Succeeded"
    skipped = {
        inner["Name"]
        for step in _flat(document["Steps"])
        if step["Type"] == "Condition"
        for inner in _flat(step["Arguments"].get("ElseSteps"))
    }
    assert answers.keys() == {step["Name"] for step in _flat(document["Steps"])} - skipped


@pytest.mark.skipif(not BAD, reason="../shared/definitions is not here")
def test_a_definition_that_the_service_refuses_makes_no_pipeline(settings: LocalSettings) -> None:
    """The refusal names the first mistake and its place."""
    [path] = BAD
    role = "arn:aws:iam::000000000000:role/x"
    with LocalSageMaker(settings) as service:
        with pytest.raises(ServiceError, match=r"`ConditionLessThanOrEqualTo` is not a condition"):
            service.create_pipeline(
                PipelineName="p", PipelineDefinition=path.read_text("utf-8"), RoleArn=role
            )
        assert service.list_pipelines()["PipelineSummaries"] == []


def _write_outputs(
    service: LocalSageMaker, document: JsonObject, call: StepCall, properties: JsonObject
) -> None:
    """Write into each output what later steps read of it, as a job that succeeds does."""
    names = {"written", *_named_files(document)}
    step_type = find(str(call.step["Type"]))
    for place in step_type.outputs if step_type is not None else ():
        for _, entry in place.entries(properties):
            uri = value_at(entry, place.uri)
            if isinstance(uri, str) and uri.startswith("s3://"):
                for name in names:
                    service.objects.put_bytes(f"{uri.rstrip('/')}/{name}", b"by the test")


def _named_files(value: Json) -> Iterator[str]:
    """Yield the names of the files that a definition reads, joined to addresses or written out."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _named_files(item)
    elif isinstance(value, str) and (found := re.search(r"[\w-]+\.\w+$", value)) is not None:
        yield found[0]


def _write_reports(
    service: LocalSageMaker, document: JsonObject, call: StepCall, properties: JsonObject
) -> None:
    """Write each property file of a step with a number at every path that is read of it."""
    outputs = {
        output["OutputName"]: output["S3Output"].get("S3Uri")
        for output in properties["ProcessingOutputConfig"]["Outputs"]
    }
    for file in call.step.get("PropertyFiles") or []:
        reference = {"Get": f"Steps.{call.name}.PropertyFiles.{file['PropertyFileName']}"}
        paths = [get["Path"] for get in _json_gets(document) if get["PropertyFile"] == reference]
        uri = f"{outputs[file['OutputName']].rstrip('/')}/{file['FilePath']}"
        service.objects.put_bytes(uri, json.dumps(_report(paths)).encode())
