"""Resolving `Get`, `Std:Join` and `Std:JsonGet` the way SageMaker does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.execution.status import StepStatus
from pipelines.json_types import Json, JsonObject

if TYPE_CHECKING:
    from tests.local.engine.conftest import Bench

Write = Callable[..., JsonObject]

DESCRIBED: JsonObject = {
    "TrainingJobName": "job-1",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"},
    "TrainingJobSummaries": [{"TrainingJobName": "best"}, {"TrainingJobName": "second"}],
    "HyperParameters": {"learning-rate": "0.1", "a.b": "dots"},
    "FinalMetricDataList": [{"MetricName": "auc", "Value": 0.75}],
    "ProcessingInputs": [{"InputName": "raw", "S3Input": {"S3Uri": "s3://bucket/raw"}}],
    "ProcessingOutputConfig": {
        "Outputs": [
            {"OutputName": "train", "S3Output": {"S3Uri": "s3://bucket/train"}},
            {"OutputName": "68ca.default", "S3Output": {"S3Uri": "s3://bucket/flow"}},
        ]
    },
}

PATHS = [
    ("Steps.a.TrainingJobName", "job-1"),
    ("Steps.a.ModelArtifacts.S3ModelArtifacts", "s3://bucket/model.tar.gz"),
    ("Steps.a.TrainingJobSummaries[1].TrainingJobName", "second"),
    ("Steps.a.HyperParameters['learning-rate']", "0.1"),
    ("Steps.a.HyperParameters['a.b']", "dots"),
    ("Steps.a.FinalMetricDataList['auc'].Value", 0.75),
    ("Steps.a.ProcessingInputs['raw'].S3Input.S3Uri", "s3://bucket/raw"),
    ("Steps.a.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri", "s3://bucket/train"),
    ('Steps.a.ProcessingOutputConfig.Outputs["68ca.default"].S3Output.S3Uri', "s3://bucket/flow"),
]


@pytest.mark.parametrize(("reference", "value"), PATHS)
def test_a_get_follows_members_indexes_keys_and_names(
    bench: Bench, make_step: Write, reference: str, value: Json
) -> None:
    """Lists such as Outputs are indexed by the member that names their items."""
    bench.jobs.answers["a"] = lambda _: StepOutcome(StepStatus.SUCCEEDED, DESCRIBED)
    bench.run(make_step("a"), make_step("b", x={"Get": reference}))
    assert bench.arguments("b") == {"x": value}


def test_execution_variables_have_the_values_of_the_execution(
    bench: Bench, make_step: Write
) -> None:
    """ARN, id and name are the execution's; times are ISO 8601 in UTC; job names the job's own."""
    names = (
        "StartDateTime",
        "CurrentDateTime",
        "PipelineName",
        "PipelineArn",
        "PipelineExecutionId",
        "PipelineExecutionArn",
        "TrainingJobName",
    )
    run = bench.run(
        make_step("a", **{name.lower(): {"Get": f"Execution.{name}"} for name in names})
    )
    found = bench.arguments("a")
    assert found == {
        "startdatetime": "2027-01-15T08:00:00Z",
        "currentdatetime": "2027-01-15T08:00:00Z",
        "pipelinename": "p",
        "pipelinearn": run.arn.partition("/execution/")[0],
        "pipelineexecutionid": run.id,
        "pipelineexecutionarn": run.arn,
        "trainingjobname": bench.jobs.calls[0].job_name,
    }
    assert len(run.id) == 12
    assert run.id.isalnum()
    assert run.id == run.id.lower()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["a", "b"], "a/b"),
        ([1, 0.5, 1e-05, True, 70.0], "1/0.5/1e-05/true/70.0"),
        ([{"Get": "Parameters.n"}, {"Std:Join": {"On": "-", "Values": ["x", "y"]}}], "3/x-y"),
    ],
)
def test_join_writes_values_as_json_does(
    bench: Bench, make_step: Write, values: list[Json], text: str
) -> None:
    """Strings stand as they are; the form of floats and booleans is an assumption."""
    bench.define(
        make_step("a", x={"Std:Join": {"On": "/", "Values": values}}),
        parameters=[{"Name": "n", "Type": "Integer", "DefaultValue": 3}],
    )
    bench.run()
    assert bench.arguments("a") == {"x": text}


def _evaluating(call: StepCall) -> StepOutcome:
    outputs = [{"OutputName": "evaluation", "S3Output": {"S3Uri": "s3://bucket/eval/"}}]
    return StepOutcome(
        StepStatus.SUCCEEDED, {**call.arguments, "ProcessingOutputConfig": {"Outputs": outputs}}
    )


FILE = {"PropertyFileName": "report", "OutputName": "evaluation", "FilePath": "out/report.json"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metrics.auc.value", 0.9),
        ("metrics['f1-score']", 1),
        ("metrics.f1-score", 1),
        ("folds[1].auc", 0.8),
        ("good", True),
        ("$.metrics.auc.value", 0.9),
        ("$['metrics'].auc.value", 0.9),
    ],
)
def test_json_get_reads_a_property_file_with_the_values_types(
    bench: Bench, make_step: Write, path: str, value: Json
) -> None:
    """The file lies at FilePath below the S3Uri of the output that the property file names."""
    report = {
        "metrics": {"auc": {"value": 0.9}, "f1-score": 1},
        "folds": [{"auc": 0.7}, {"auc": 0.8}],
        "good": True,
    }
    bench.put("s3://bucket/eval/out/report.json", report)
    bench.jobs.answers["e"] = _evaluating
    get = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.e.PropertyFiles.report"}, "Path": path}}
    bench.run(make_step("e", "Processing", PropertyFiles=[FILE]), make_step("b", x=get))
    assert bench.arguments("b") == {"x": value}
    assert bench.jobs.names == ["e", "b"]


def test_json_get_reads_an_s3_uri(bench: Bench, make_step: Write) -> None:
    """S3Uri may be joined of parts."""
    bench.put("s3://bucket/p/report.json", {"auc": 0.9})
    uri = {"Std:Join": {"On": "/", "Values": ["s3://bucket", {"Get": "Execution.PipelineName"}]}}
    whole = {"Std:Join": {"On": "/", "Values": [uri, "report.json"]}}
    bench.run(make_step("b", x={"Std:JsonGet": {"S3Uri": whole, "Path": "auc"}}))
    assert bench.arguments("b") == {"x": 0.9}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"Get": "Steps.a.Missing"}, "`Steps.a.Missing` has no value: no `Missing` at the top"),
        ({"Get": "Parameters.missing"}, "`Parameters.missing` is not defined"),
        ({"Get": "Execution.Missing"}, "`Execution.Missing` is not defined"),
        (
            {"Std:JsonGet": {"S3Uri": "s3://bucket/none.json", "Path": "a"}},
            "Std:JsonGet reads s3://bucket/none.json, which does not exist",
        ),
        (
            {"Std:JsonGet": {"S3Uri": "s3://bucket/text", "Path": "a"}},
            "s3://bucket/text, which is not JSON",
        ),
        (
            {"Std:JsonGet": {"S3Uri": "s3://bucket/json", "Path": "a.b"}},
            "finds no `a.b` in s3://bucket/json",
        ),
        ({"Std:Join": ["a", "b"]}, "Std:Join takes a list of `Values`"),
        ({"Std:JsonGet": {"Step": "a", "PropertyFile": "x", "Path": "a"}}, "takes `PropertyFile`"),
    ],
)
def test_a_function_without_a_value_fails_the_step_that_holds_it(
    bench: Bench, make_step: Write, value: Json, reason: str
) -> None:
    """The step is listed as failed, with what is missing; its executor is not called."""
    bench.put("s3://bucket/text", "no json")
    bench.put("s3://bucket/json", {"a": {}})
    run = bench.run(make_step("a"), make_step("b", x=value, DependsOn=["a"]))
    assert run.status == "Failed"
    assert reason in run.steps["b"]["FailureReason"]
    assert bench.jobs.names == ["a"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"HyperParameters": {"epochs": {"Get": "Parameters.n"}}},
        {"Environment": {"EPOCHS": {"Get": "Parameters.n"}}},
        {"AlgorithmSpecification": {"ContainerArguments": [{"Get": "Parameters.n"}]}},
    ],
)
def test_a_number_where_the_service_wants_a_string_is_refused(
    bench: Bench, arguments: JsonObject
) -> None:
    """With the service's own sentence (aws/sagemaker-python-sdk #4867)."""
    bench.define(
        {"Name": "a", "Type": "Training", "Arguments": arguments},
        parameters=[{"Name": "n", "Type": "Integer", "DefaultValue": 3}],
    )
    run = bench.run()
    assert run.steps["a"]["FailureReason"].startswith(
        "Cannot assign property reference [Parameters.n] to argument of type [String]"
    )
    assert bench.jobs.calls == []


def test_a_joined_number_is_a_string_to_the_service(bench: Bench) -> None:
    """`Std:Join` with an empty `On` is the service's way to make one."""
    joined = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.n"}]}}
    arguments = {"HyperParameters": {"epochs": joined}}
    bench.define(
        {"Name": "a", "Type": "Training", "Arguments": arguments},
        parameters=[{"Name": "n", "Type": "Integer", "DefaultValue": 3}],
    )
    assert bench.run().status == "Succeeded"
    assert bench.arguments("a") == {"HyperParameters": {"epochs": "3"}}
