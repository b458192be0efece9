"""A step's request is checked once its functions have values, as the service would check it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.execution.events import StepEnded
from pipelines.execution.status import StepStatus
from pipelines.json_types import Json, JsonObject
from tests.local.engine.conftest import Bench, FakeClock, FakeJobs
from tests.local.engine.undemanding import readable

URI = "s3://bucket/report/evaluation.json"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2"


@pytest.fixture
def strict(settings: LocalSettings) -> Iterator[Bench]:
    """A bench that knows what each Type asks of a request."""
    jobs, clock = FakeJobs(), FakeClock()
    with LocalSageMaker(
        settings, EngineParts(executors=jobs.find, clock=clock, check_definition=readable)
    ) as service:
        yield Bench(settings.home, service, jobs, clock)


def _report(path: str) -> JsonObject:
    return {"Std:JsonGet": {"S3Uri": URI, "Path": path}}


def _joined(*values: Json) -> JsonObject:
    return {"Std:Join": {"On": "", "Values": [*values]}}


def _training(name: str = "train", count: Json = 1, **members: Json) -> JsonObject:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 30}
    arguments: JsonObject = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "RoleArn": "arn:aws:iam::111122223333:role/jobs",
        "ResourceConfig": resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **members,
    }
    return {"Name": name, "Type": "Training", "Arguments": arguments}


def _with_argument(argument: Json) -> JsonObject:
    algorithm = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "ContainerArguments": ["--x", argument],
    }
    return _training(AlgorithmSpecification=algorithm)


def _reason(bench: Bench, step: JsonObject, report: Json) -> str | None:
    bench.put(URI, report)
    run = bench.run(step)
    ended = run.steps[step["Name"]]
    assert (ended["StepStatus"] == "Failed") == ("FailureReason" in ended)
    assert run.status == ("Failed" if "FailureReason" in ended else "Succeeded")
    return ended.get("FailureReason")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (2, None),
        ("2", None),
        (2.0, None),
        (0, "`InstanceCount` is 0: nothing would run (`n`)"),
        (-1, "`InstanceCount` is -1, but has to be 0 to 2147483647 (`n`)"),
        (10**12, "`InstanceCount` is 1000000000000, but has to be 0 to 2147483647 (`n`)"),
        (2.5, "`InstanceCount` has to be a whole number, not the number 2.5 (`n`)"),
        ("two", "`InstanceCount` has to be a whole number, not the string `two` (`n`)"),
        (True, "`InstanceCount` has to be a whole number, not true (`n`)"),
        ([1], "`InstanceCount` has to be a whole number, not a list (`n`)"),
        (None, "`n` is null"),
    ],
    ids=str,
)
def test_a_reports_value_has_to_fit_the_member_it_goes_into(
    strict: Bench, value: Json, reason: str | None
) -> None:
    """The step fails before a job starts, with the service's rule and where the value is from."""
    found = _reason(strict, _training(count=_report("n")), {"n": value})
    assert (found or "").partition(";")[0] == (reason or "")
    assert len(strict.jobs.calls) == int(reason is None)
    if reason is None:
        assert strict.arguments("train")["ResourceConfig"]["InstanceCount"] == 2


@pytest.mark.parametrize(
    ("argument", "report", "reason"),
    [
        (_report("x"), "", "an argument of `ContainerArguments` is empty (`x`)"),
        (_joined(_report("x")), "", "an argument of `ContainerArguments` is empty"),
        (_joined(_report("x")), "x" * 257, "`ContainerArguments` has 257 characters, but has to"),
        (_joined("a", _report("x")), "\n", "`ContainerArguments` holds a line break"),
        (_report("x"), None, "`AlgorithmSpecification.ContainerArguments[1]` must be a string"),
    ],
)
def test_an_argument_has_to_be_one_that_the_service_takes(
    strict: Bench, argument: Json, report: Json, reason: str
) -> None:
    """Empty, null, over 256 characters, or of two lines: also where a join makes it so."""
    found = _reason(strict, _with_argument(argument), {"x": report})
    assert found is not None
    assert found.startswith(reason)


def test_an_empty_text_is_no_placeholder_when_a_function_gave_it(strict: Bench) -> None:
    """Left empty in a definition it may be filled in later; here nobody will."""
    output = {"S3OutputPath": _joined(_report("x"))}
    found = _reason(strict, _training(OutputDataConfig=output), {"x": ""})
    assert found is not None
    assert found.startswith("`` is not a valid `S3OutputPath`")


@pytest.mark.parametrize(
    ("text", "shown"),
    [('{"auc": NaN}', "nan"), ('{"auc": -Infinity}', "-inf"), ('{"auc": 1e400}', "inf")],
)
def test_a_condition_over_a_number_that_json_has_not_is_an_error(
    strict: Bench, text: str, shown: str
) -> None:
    """Comparing with NaN is false whatever stands there: the branch would be nobody's choice."""
    comparison = {"Type": "GreaterThan", "LeftValue": _report("auc"), "RightValue": 0.5}
    arguments = {"Conditions": [comparison], "IfSteps": [], "ElseSteps": [_training()]}
    found = _reason(strict, {"Name": "good", "Type": "Condition", "Arguments": arguments}, text)
    assert found is not None
    assert found.startswith(f"`auc` in {URI} is {shown}, which is not a number that JSON has")
    assert strict.jobs.calls == []


def test_a_metric_that_is_no_number_is_an_error_where_it_is_read(strict: Bench) -> None:
    """`loss=nan` in a log is a value as good as a report's."""

    def diverged(_: StepCall) -> StepOutcome:
        metric = {"MetricName": "loss", "Value": float("nan")}
        return StepOutcome(StepStatus.SUCCEEDED, {"FinalMetricDataList": [metric]})

    strict.jobs.answers["train"] = diverged
    got = {"Get": "Steps.train.FinalMetricDataList['loss'].Value"}
    arguments = {"Conditions": [{"Type": "LessThan", "LeftValue": got, "RightValue": 1}]}
    run = strict.run(_training(), {"Name": "good", "Type": "Condition", "Arguments": arguments})
    assert run.steps["good"]["FailureReason"].startswith(
        "`Steps.train.FinalMetricDataList['loss'].Value` is nan, which is not a number"
    )


def test_what_a_definition_says_is_checked_too_when_nobody_has(strict: Bench) -> None:
    """CreatePipeline takes any definition; the service's job would be refused as well."""
    found = _reason(strict, _training(count=0, Experiment={}), {})
    assert found is not None
    assert found.startswith("unknown key `Experiment` in")
    assert "`InstanceCount` is 0: nothing would run" in found


def test_a_quota_is_no_reason_to_fail(strict: Bench) -> None:
    """An account can have it raised."""
    assert _reason(strict, _training(count=_report("n")), {"n": 21}) is None


@pytest.mark.parametrize("value", ["0", "1000000000000", "-3"])
def test_a_parameter_that_a_step_cannot_run_with_is_refused_at_the_start(
    strict: Bench, value: str
) -> None:
    """Nothing is recorded: there is no execution to clean up."""
    parameter = {"Name": "n", "Type": "Integer", "DefaultValue": 1}
    strict.define(_training(count={"Get": "Parameters.n"}), parameters=[parameter])
    with pytest.raises(ServiceError, match=f"parameter `n` cannot be `{value}`") as raised:
        strict.start(PipelineParameters=[{"Name": "n", "Value": value}])
    assert raised.value.code == "ValidationException"
    listed = strict.service.list_pipeline_executions(PipelineName="p")
    assert listed["PipelineExecutionSummaries"] == []


def test_a_parameter_of_a_step_that_a_condition_keeps_from_running_is_not_refused(
    strict: Bench,
) -> None:
    """`n=0` means "no training" here; where the condition lets it run, the step fails."""
    got = {"Get": "Parameters.n"}
    steps = [_training(count=got)]
    comparison = {"Type": "GreaterThanOrEqualTo", "LeftValue": got, "RightValue": 0}
    arguments = {"Conditions": [comparison], "IfSteps": steps, "ElseSteps": []}
    condition = {"Name": "any", "Type": "Condition", "Arguments": arguments}
    parameter = {"Name": "n", "Type": "Integer", "DefaultValue": 1}
    strict.define(condition, parameters=[parameter])
    run = strict.run(PipelineParameters=[{"Name": "n", "Value": "-1"}])
    assert run.statuses() == {"any": "Succeeded"}
    run = strict.run(PipelineParameters=[{"Name": "n", "Value": "0"}])
    assert run.statuses() == {"any": "Succeeded", "train": "Failed"}


def test_a_bug_in_an_executor_fails_its_step_and_nothing_else(bench: Bench) -> None:
    """The reason says that it is ours, the log has the traceback, and `--resume` goes on."""

    def broken(_: StepCall) -> StepOutcome:
        outcomes: dict[str, StepOutcome] = {}
        return outcomes["no such key"]

    bench.jobs.answers["a"] = broken
    steps = [
        {"Name": "a", "Type": "Training", "Arguments": {}},
        {"Name": "b", "Type": "Training", "Arguments": {}},
        {"Name": "c", "Type": "Training", "Arguments": {}, "DependsOn": ["a"]},
    ]
    run = bench.run(*steps)
    assert (run.status, run.statuses()) == ("Failed", {"a": "Failed", "b": "Succeeded"})
    reason = run.steps["a"]["FailureReason"]
    assert reason.startswith("this is a bug in pipelines, please report it: KeyError")
    log = bench.home / "executions" / run.id / "a" / "1" / "pipelines.log"
    assert "in broken" in log.read_text()
    (ended,) = (e for e in bench.events if isinstance(e, StepEnded) and e.step == "a")
    assert ended.log_tail[-1] == "KeyError: 'no such key'"
    del bench.jobs.answers["a"]
    assert bench.resume(run.arn).statuses() == dict.fromkeys("abc", "Succeeded")


def test_a_bug_beside_the_executor_fails_its_step_too(bench: Bench) -> None:
    """An outcome that cannot be recorded, say; a retry policy does not repeat a bug."""

    def unwritable(_: StepCall) -> StepOutcome:
        return StepOutcome(StepStatus.SUCCEEDED, {"it": object()})

    bench.jobs.answers["a"] = unwritable
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 3}
    step = {"Name": "a", "Type": "Training", "Arguments": {}, "RetryPolicies": [policy]}
    run = bench.run(step, options=RunOptions(bench.events.append))
    assert run.status == "Failed"
    assert "this is a bug in pipelines" in run.steps["a"]["FailureReason"]
    assert bench.jobs.names == ["a"]
    assert json.dumps(run.steps["a"]["Metadata"])
