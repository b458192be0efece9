"""RegisterModel and ForEach as the engine runs them, at their edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.backends.local.executors.register_model import execute
from pipelines.execution.status import StepStatus
from pipelines.json_types import Json, JsonObject

if TYPE_CHECKING:
    from tests.local.engine.conftest import Answer, Bench

Write = Callable[..., JsonObject]


@pytest.fixture
def call(bench: Bench, make_step: Write) -> StepCall:
    """A call of some step, with the bench's registry."""
    bench.run(make_step("a"))
    return bench.jobs.calls[0]


def _again(call: StepCall, arguments: JsonObject, registry: Json = None) -> StepCall:
    return StepCall(
        name=call.name,
        job_name=call.job_name,
        arguments=arguments,
        step=call.step,
        execution=call.execution,
        settings=call.settings,
        registry=registry or call.registry,
        logs=call.logs,
        stop=call.stop,
        jobs=call.jobs,
    )


def test_two_attempts_of_one_step_register_one_version(call: StepCall) -> None:
    """The second finds what the first made before it died."""
    arguments = {"ModelPackageGroupName": "g"}
    first, second = (execute(_again(call, arguments)) for _ in range(2))
    assert first.properties["ModelPackageArn"] == second.properties["ModelPackageArn"]
    assert first.properties["ModelPackageVersion"] == 1


def test_a_package_without_a_group_keeps_its_own_tags(bench: Bench, call: StepCall) -> None:
    """Only versions take their group's."""
    tags = [{"Key": "team", "Value": "ml"}]
    outcome = execute(_again(call, {"ModelPackageName": "m", "Tags": tags}))
    arn = outcome.properties["ModelPackageArn"]
    assert bench.service.list_tags(ResourceArn=arn) == {"Tags": tags}


def test_a_package_without_a_group_and_a_name_is_named_like_a_job(call: StepCall) -> None:
    """The service knows no `ModelPackageName` in a definition: it gives the name itself."""
    first, second = (execute(_again(call, {})) for _ in range(2))
    assert first.properties["ModelPackageName"] == call.job_name
    assert first.properties["ModelPackageArn"] == second.properties["ModelPackageArn"]


class LateRegistry:
    """A registry in which another execution creates the group between two calls."""

    def __init__(self, bench: Bench) -> None:
        self.service = bench.service
        self.asked = 0
        self.create_model_package = bench.service.create_model_package
        self.describe_model_package = bench.service.describe_model_package
        self.create_model_package_group = bench.service.create_model_package_group

    def describe_model_package_group(self, **request: Json) -> JsonObject:
        """Say that the group is not there, then let it be created by somebody else."""
        self.asked += 1
        if self.asked == 1:
            self.service.create_model_package_group(**request)
            raise ServiceError("ValidationException", "does not exist")
        return self.service.describe_model_package_group(**request)


def test_a_group_that_another_execution_creates_meanwhile_is_used(
    bench: Bench, call: StepCall
) -> None:
    """Two first registrations at the same time both succeed."""
    registry = LateRegistry(bench)
    outcome = execute(_again(call, {"ModelPackageGroupName": "g"}, registry))
    assert outcome.properties["ModelPackageVersion"] == 1
    assert registry.asked == 2


def test_a_group_that_cannot_be_created_fails_the_step(bench: Bench) -> None:
    """With the service's reason."""
    tags = [{"Key": str(number), "Value": "x"} for number in range(51)]
    arguments = {"ModelPackageGroupName": "g", "Tags": tags}
    run = bench.run({"Name": "r", "Type": "RegisterModel", "Arguments": arguments})
    assert "would have 51 tags; the maximum is 50" in run.steps["r"]["FailureReason"]


def test_a_for_each_waits_for_what_its_body_reads_and_for_nothing_of_its_own(
    bench: Bench, make_step: Write
) -> None:
    """Its body's steps are no steps of the pipeline; their arguments stay as they are written."""
    body = [
        make_step("inner", x={"Get": "ForEach.CurrentItem"}, y={"Get": "Steps.a.x"}),
        make_step("last", x={"Get": "Steps.inner.x"}),
    ]
    loop = {"Name": "loop", "Type": "ForEach", "Arguments": {"ForEachBody": body}}
    run = bench.run(loop, make_step("a", x="1"))
    assert bench.jobs.names == ["a", "loop"]
    assert set(run.steps) == {"a", "loop"}
    assert bench.arguments("loop") == {"ForEachBody": body}


def test_a_retry_may_change_how_many_steps_run_at_once(
    bench: Bench, make_step: Write, failing: Answer
) -> None:
    """ParallelismConfiguration of RetryPipelineExecution."""
    bench.jobs.answers["a"] = failing
    run = bench.run(make_step("a"))
    limit = {"MaxParallelExecutionSteps": 3}
    bench.service.retry_pipeline_execution(
        PipelineExecutionArn=run.arn, ParallelismConfiguration=limit
    )
    found = bench.service.describe_pipeline_execution(PipelineExecutionArn=run.arn)
    assert found["ParallelismConfiguration"] == limit


def test_a_literal_number_in_an_environment_fails_the_step_before_its_job(bench: Bench) -> None:
    """The API takes strings there."""
    arguments = {"Environment": {"EPOCHS": 3}}
    run = bench.run({"Name": "a", "Type": "Processing", "Arguments": arguments})
    assert run.steps["a"]["FailureReason"] == "`Environment.EPOCHS` must be a string"


def test_a_number_of_a_report_in_an_environment_wants_a_join(bench: Bench) -> None:
    """A JsonGet gives what the file holds."""
    bench.put("s3://bucket/r.json", {"auc": 0.9})
    auc = {"Std:JsonGet": {"S3Uri": "s3://bucket/r.json", "Path": "auc"}}
    arguments = {"Environment": {"AUC": auc}}
    run = bench.run({"Name": "a", "Type": "Processing", "Arguments": arguments})
    reason = run.steps["a"]["FailureReason"]
    assert reason.startswith(
        "`Environment.AUC` must be a string, but its function does not return one"
    )
    assert "Std:Join" in reason


def test_a_stop_while_a_retry_is_waited_for_ends_the_step(bench: Bench, make_step: Write) -> None:
    """The step keeps the failure it had; nothing is tried again."""
    fault = "SageMaker.CAPACITY_ERROR"

    def answer(call: StepCall) -> StepOutcome:
        call.stop.set()
        return StepOutcome(StepStatus.FAILED, {}, reason="no capacity", fault=fault)

    bench.jobs.answers["a"] = answer
    run = bench.run(make_step("a", RetryPolicies=[{"ExceptionType": [fault]}]))
    assert run.statuses() == {"a": "Failed"}
    assert len(bench.jobs.calls) == 1
