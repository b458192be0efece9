"""What SageMaker tells EventBridge: approvals, executions and their steps. All of it is free."""

from __future__ import annotations

import pytest

from pipelines.json_types import JsonObject
from tests.acceptance.definitions import ALWAYS, Ended, condition, definition, run
from tests.acceptance.events import Events
from tests.acceptance.target import Target
from tests.acceptance.test_acceptance_registry import register

PACKAGE = "SageMaker Model Package State Change"
EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
STEP = "SageMaker Model Building Pipeline Execution Step Status Change"


@pytest.fixture(scope="module")
def version(target: Target, events: Events) -> str:
    """Register a version and approve it; return its ARN."""
    del events  # they are received from before it
    group = target.named("told")
    target.sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=target.tags)
    arn = register(target, group)
    target.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    return arn


@pytest.fixture(scope="module")
def execution(target: Target, events: Events) -> Ended:
    """Run a pipeline of one condition."""
    del events
    return run(target, "told", definition(condition("only", ALWAYS)))


def place_of(event: JsonObject) -> tuple[str, list[str]]:
    """Return the source and the resources of an event."""
    return event["source"], event["resources"]


@pytest.mark.fact("6")
def test_an_approval_is_an_event_that_names_what_was_updated(events: Events, version: str) -> None:
    """A rule for approvals needs group, status and the updated fields."""
    event = events.first(PACKAGE, ModelPackageArn=version, ModelApprovalStatus="Approved")
    detail = event["detail"]
    assert place_of(event) == ("aws.sagemaker", [version])
    assert version.endswith(f"/{detail['ModelPackageGroupName']}/{detail['ModelPackageVersion']}")
    assert detail["UpdatedModelPackageFields"] == ["ModelApprovalStatus"]
    assert detail["ModelPackageStatus"] == "Completed"


@pytest.mark.fact("11.11")
@pytest.mark.unverified
def test_the_event_of_a_new_version_names_no_updated_fields(events: Events, version: str) -> None:
    """Rules take it either way."""
    status = "PendingManualApproval"
    event = events.first(PACKAGE, ModelPackageArn=version, ModelApprovalStatus=status)
    assert "UpdatedModelPackageFields" not in event["detail"]


@pytest.mark.fact("6")
def test_the_end_of_an_execution_is_an_event(events: Events, execution: Ended) -> None:
    """With the status before, and the ARNs of pipeline and execution."""
    event = events.first(
        EXECUTION, pipelineExecutionArn=execution.arn, currentPipelineExecutionStatus="Succeeded"
    )
    pipeline = execution.described["PipelineArn"]
    assert event["detail"]["previousPipelineExecutionStatus"] == "Executing"
    assert event["detail"]["pipelineArn"] == pipeline
    assert place_of(event) == ("aws.sagemaker", [pipeline, execution.arn])


@pytest.mark.fact("6")
def test_the_end_of_a_step_is_an_event(events: Events, execution: Ended) -> None:
    """With its name and its Type."""
    event = events.first(
        STEP, pipelineExecutionArn=execution.arn, stepName="only", currentStepStatus="Succeeded"
    )
    assert event["detail"]["stepType"] == "Condition"
