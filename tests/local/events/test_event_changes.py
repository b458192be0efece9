"""What the state records of each change, and the events that are made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.events.model import (
    DEPLOYMENT,
    ENDPOINT,
    EXECUTION,
    PACKAGE,
    STEP,
    events_of,
)
from pipelines.backends.local.jobs.states import JobState, JobStatus, Transition
from pipelines.backends.local.state.endpoints import EndpointRecord
from pipelines.backends.local.state.executions import ExecutionRecord, StepRecord
from pipelines.backends.local.state.jobs import JobRecord
from pipelines.backends.local.state.local_state import LocalState
from pipelines.backends.local.state.resources import PackageRecord
from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.json_types import JsonObject

ACCOUNT, REGION = "111122223333", "eu-central-1"
PACKAGE_ARN = "arn:aws:sagemaker:eu-central-1:111122223333:model-package/g/1"
PIPELINE = "arn:aws:sagemaker:eu-central-1:111122223333:pipeline/p"
RUN = f"{PIPELINE}/execution/x"
WAITS = {"ModelApprovalStatus": "PendingManualApproval"}
NEW = PackageRecord(PACKAGE_ARN, "g", "g", 1, WAITS, 1.0)
STARTED = ExecutionRecord("x", RUN, "p", ExecutionStatus.EXECUTING, 1.0, 1.0, "{}", {}, {})
ENDPOINT_ARN = "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/e"
CREATING = EndpointRecord("e", ENDPOINT_ARN, "Creating", "c", 1.0, 1.0, "c", "1")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[LocalState]:
    """A state whose changes are watched."""
    with LocalState(tmp_path) as state:
        state.changes.watch()
        yield state


def taken(state: LocalState) -> list[JsonObject]:
    """Take the events of the changes that wait."""
    made: list[JsonObject] = []
    for change in state.changes.waiting():
        made += events_of(change, ACCOUNT, REGION)
        state.changes.remove(change.number)
    return made


def test_an_event_has_the_envelope_that_the_guide_shows(state: LocalState) -> None:
    """Version, id, detail-type, source, account, time, region, resources, detail: no more."""
    state.packages.add(NEW, [])
    (change,) = state.changes.waiting()
    (event,) = events_of(change, ACCOUNT, REGION)
    detail = event.pop("detail")
    assert event == {
        "version": "0",
        "id": change.id,
        "detail-type": PACKAGE,
        "source": "aws.sagemaker",
        "account": ACCOUNT,
        "time": event["time"],
        "region": REGION,
        "resources": [PACKAGE_ARN],
    }
    assert detail == {
        "ModelPackageGroupName": "g",
        "ModelPackageVersion": 1,
        "ModelPackageArn": PACKAGE_ARN,
        "CreationTime": "1970-01-01T00:00:01Z",
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "ModelApprovalStatus": "PendingManualApproval",
    }


@pytest.mark.parametrize(
    ("update", "named"),
    [
        ({"ModelApprovalStatus": "Approved"}, [["ModelApprovalStatus"]]),
        ({"SourceUri": "s3://b/x"}, [["sourceUri"]]),
        (
            {"ModelApprovalStatus": "Approved", "ApprovalDescription": "good"},
            [["ModelApprovalStatus", "ApprovalDescription"]],
        ),
        ({"ModelCard": {"ModelCardStatus": "Draft"}}, []),
        ({}, []),
    ],
)
def test_an_update_names_what_it_changed(
    state: LocalState, update: JsonObject, named: list[list[str]]
) -> None:
    """As the guide lists the fields; a change of no such field is no event."""
    state.packages.add(NEW, [])
    taken(state)
    state.packages.save(PACKAGE_ARN, {**WAITS, **update}, 2.0)
    events = taken(state)
    assert [event["detail"]["UpdatedModelPackageFields"] for event in events] == named
    assert all(event["detail"]["LastModifiedTime"] == "1970-01-01T00:00:02Z" for event in events)


def test_an_execution_and_its_steps_tell_what_they_were_before(state: LocalState) -> None:
    """In the order in which it happened, with the keys in camelCase."""
    store = state.executions
    store.add(STARTED)
    job = {"ProcessingJob": {"Arn": "arn:job"}}
    step = StepRecord("x", "clean", "Processing", StepStatus.STARTING, 1.0)
    store.save_step(step)
    store.save_step(replace(step, status=StepStatus.EXECUTING, metadata=job))
    failed = replace(step, status=StepStatus.FAILED, ended=3.0, reason="it broke", metadata=job)
    store.save_step(failed)
    store.save_step(failed)
    store.move("x", ExecutionStatus.FAILED, 4.0, "Step failure: …")
    first, *steps, last = taken(state)
    both = {"pipelineArn": PIPELINE, "pipelineExecutionArn": RUN}
    assert first["detail-type"] == last["detail-type"] == EXECUTION
    assert first["resources"] == [PIPELINE, RUN]
    assert first["detail"] == {
        "currentPipelineExecutionStatus": "Executing",
        "executionStartTime": "1970-01-01T00:00:01Z",
        **both,
    }
    assert last["detail"] == {
        "currentPipelineExecutionStatus": "Failed",
        "previousPipelineExecutionStatus": "Executing",
        "executionStartTime": "1970-01-01T00:00:01Z",
        "executionEndTime": "1970-01-01T00:00:04Z",
        **both,
    }
    assert {event["detail-type"] for event in steps} == {STEP}
    assert [event["detail"]["currentStepStatus"] for event in steps] == [
        "Starting",
        "Executing",
        "Failed",
    ]
    assert steps[-1]["detail"] == {
        "metadata": {"processingJob": {"arn": "arn:job"}},
        "stepStartTime": "1970-01-01T00:00:01Z",
        "stepEndTime": "1970-01-01T00:00:03Z",
        "stepName": "clean",
        "stepType": "Processing",
        "previousStepStatus": "Executing",
        "currentStepStatus": "Failed",
        "failureReason": "it broke",
        **both,
    }


def test_a_cache_hit_names_its_execution(state: LocalState) -> None:
    """`cacheHitResult`, as the guide says."""
    state.executions.add(STARTED)
    hit = StepRecord("x", "a", "Training", StepStatus.SUCCEEDED, 1.0, 2.0, cached_from="arn:other")
    state.executions.save_step(hit)
    *_, event = taken(state)
    assert event["detail"]["cacheHitResult"] == {"sourcePipelineExecutionArn": "arn:other"}


def test_an_endpoint_is_told_in_upper_case_and_an_update_is_a_deployment(
    state: LocalState,
) -> None:
    """IN_SERVICE and UPDATING, times in milliseconds; a change of nothing but weights is none."""
    state.endpoints.add(CREATING, [])
    in_service = replace(CREATING, status="InService", pending_config=None)
    state.endpoints.save(in_service)
    state.endpoints.save(replace(in_service, desired={"A": {"DesiredWeight": 1.0}}))
    state.endpoints.save(replace(in_service, status="Updating", pending_config="d", modified=2.0))
    events = taken(state)
    assert [(one["detail-type"], one["detail"]["EndpointStatus"]) for one in events] == [
        (ENDPOINT, "CREATING"),
        (ENDPOINT, "IN_SERVICE"),
        (ENDPOINT, "UPDATING"),
        (DEPLOYMENT, "UPDATING"),
    ]
    pending = events[-1]["detail"]["PendingDeploymentSummary"]
    assert pending == {"EndpointConfigName": "d", "StartTime": 2000.0}


def test_a_job_is_told_as_its_describe_has_it(state: LocalState) -> None:
    """Each status once; the times of a training job are texts of milliseconds, as in the guide."""
    arn = "arn:aws:sagemaker:eu-central-1:111122223333:training-job/fit"
    request = {"RoleArn": "arn:aws:iam::111122223333:role/r", "HyperParameters": {"epochs": "2"}}
    starting = (Transition("Starting", 1.0, None),)
    begun = JobState(JobStatus.IN_PROGRESS, starting, 1.0, 1.0)
    job = JobRecord("Training", "fit", arn, begun, request, "1")
    state.jobs.add(job)
    state.jobs.change(job, lambda one: replace(one, modified=1.5))
    ended = JobState(JobStatus.FAILED, starting, 1.0, 2.5, 1.5, 2.5, "AlgorithmError: it broke")
    state.jobs.change(job, lambda _: ended)
    first, last = taken(state)
    assert first["detail-type"] == last["detail-type"] == "SageMaker Training Job State Change"
    assert first["detail"]["TrainingJobStatus"] == "InProgress"
    expected = {
        "TrainingJobName": "fit",
        "TrainingJobArn": arn,
        "TrainingJobStatus": "Failed",
        "FailureReason": "AlgorithmError: it broke",
        "HyperParameters": {"epochs": "2"},
        "CreationTime": "1000",
        "TrainingEndTime": "2500",
        "LastModifiedTime": "2500",
        "Tags": {},
    }
    assert expected.items() <= last["detail"].items()


def test_a_change_and_its_record_are_one_transaction(state: LocalState) -> None:
    """What is rolled back was never told."""
    too_many = [{"Key": str(number), "Value": ""} for number in range(51)]
    with pytest.raises(ServiceError):
        state.packages.add(NEW, too_many)
    assert state.packages.find(PACKAGE_ARN) is None
    assert state.changes.waiting() == []


def test_changes_of_other_processes_wait_and_survive(tmp_path: Path) -> None:
    """Whoever changes the state: a second connection stands for a second process."""
    with LocalState(tmp_path) as watching, LocalState(tmp_path) as other:
        watching.changes.watch()
        other.packages.add(NEW, [])
    with LocalState(tmp_path) as later:
        (change,) = later.changes.waiting()
        assert change.after["arn"] == PACKAGE_ARN


def test_nothing_is_recorded_where_no_rules_were_loaded(tmp_path: Path) -> None:
    """Nor is it after `forget`, which drops what waits."""
    with LocalState(tmp_path) as state:
        state.packages.add(NEW, [])
        assert state.changes.waiting() == []
        state.changes.watch()
        state.packages.save(PACKAGE_ARN, {"ModelApprovalStatus": "Approved"}, 2.0)
        assert len(state.changes.waiting()) == 1
        state.changes.forget()
        state.packages.save(PACKAGE_ARN, {"ModelApprovalStatus": "Rejected"}, 3.0)
        assert state.changes.waiting() == []
