"""Stacks in the states that moto does not know, and their events, by botocore's Stubber.

The Stubber holds requests and answers against botocore's model of the API. It is no CloudFormation:
what the service does after a call is written here by hand, from its documentation.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pipelines.account.stacks.connection import pending_step
from pipelines.account.stacks.deployed import read_stack
from pipelines.account.stacks.following import StackEvent, StackFollower
from pipelines.errors import RefusedError, UsageError
from pipelines.execution.caller import CallRefusedError
from tests.unit.account.shared_stack import ARN, CF, NAME, stack_in
from tests.unit.account.stubbed import ACCOUNT, REGION, StubbedAccount

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _stack(status: str, **more: Any) -> dict[str, Any]:
    stack = {"StackName": NAME, "StackId": ARN, "StackStatus": status, "CreationTime": NOW}
    return {"Stacks": [{**stack, **more}]}


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("ROLLBACK_COMPLETE", "delete-stack"),
        ("ROLLBACK_FAILED", "delete-stack"),
        ("CREATE_FAILED", "delete-stack"),
        ("DELETE_FAILED", "delete-stack"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
    ],
)
def test_state_that_leads_nowhere_is_refused_with_the_command_out_of_it(
    status: str, command: str
) -> None:
    """CloudFormation takes no change set in these states."""
    with pytest.raises(UsageError) as refused:
        stack_in(status).require_changeable()
    assert f"{NAME} is in {status}" in refused.value.problem
    words = f"aws cloudformation {command} --stack-name {NAME} --region {REGION}"
    assert words in (refused.value.remedy or "")


@pytest.mark.parametrize(
    "status",
    ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"],
)
def test_state_that_can_be_updated_is_taken(status: str) -> None:
    """A failed update that was rolled back is as good as before."""
    deployed = stack_in(status)
    deployed.require_changeable()
    deployed.require_free()
    assert deployed.is_there


@pytest.mark.parametrize(
    "status", ["CREATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "DELETE_IN_PROGRESS"]
)
def test_stack_that_is_being_changed_is_busy(status: str) -> None:
    """`ci plan` says so; `ci apply` waits."""
    with pytest.raises(UsageError, match=f"is being changed \\({status}\\)"):
        stack_in(status).require_free()


def test_stack_of_change_sets_alone_is_not_there(stubbed: StubbedAccount) -> None:
    """CloudFormation makes a stack to hold the first change set."""
    stubbed.answers(CF, "describe_stacks", _stack("REVIEW_IN_PROGRESS"))
    deployed = read_stack(stubbed.gateway, NAME)
    assert not deployed.is_there
    assert not deployed.is_busy


def test_missing_stack_is_not_there(stubbed: StubbedAccount) -> None:
    """DescribeStacks has no code of its own for it."""
    message = f"Stack with id {NAME} does not exist"
    stubbed.refuses(CF, "describe_stacks", "ValidationError", message)
    assert not read_stack(stubbed.gateway, NAME).is_there


def test_missing_permission_names_the_action_and_who(stubbed: StubbedAccount) -> None:
    """AccessDenied is not taken for a stack that is not there."""
    who = f"arn:aws:iam::{ACCOUNT}:user/eve"
    message = f"User: {who} is not authorized to perform: cloudformation:DescribeStacks"
    stubbed.refuses(CF, "describe_stacks", "AccessDenied", message, 403)
    with pytest.raises(CallRefusedError) as refused:
        read_stack(stubbed.gateway, NAME)
    assert "cloudformation:DescribeStacks" in refused.value.problem
    assert who in refused.value.problem


def _event(number: int, logical: str, status: str, reason: str = "") -> dict[str, Any]:
    stack = logical == NAME
    return {
        "StackId": ARN,
        "StackName": NAME,
        "EventId": str(number),
        "Timestamp": NOW,
        "LogicalResourceId": logical,
        "PhysicalResourceId": ARN if stack else logical.lower(),
        "ResourceType": "AWS::CloudFormation::Stack" if stack else "AWS::S3::Bucket",
        "ResourceStatus": status,
        **({"ResourceStatusReason": reason} if reason else {}),
    }


BEFORE = _event(1, NAME, "REVIEW_IN_PROGRESS")


def _follow(stubbed: StubbedAccount, *batches: list[dict[str, Any]]) -> list[StackEvent]:
    """Follow a stack whose events are, newest first, those of a batch at each look."""
    told: list[StackEvent] = []
    stubbed.answers(CF, "describe_stack_events", {"StackEvents": [BEFORE]})
    follower = StackFollower(stubbed.gateway, ARN, told.append, 60)
    for batch in batches:
        stubbed.answers(CF, "describe_stack_events", {"StackEvents": batch})
    follower.until_done()
    return told


def test_events_are_told_once_and_in_order(stubbed: StubbedAccount) -> None:
    """Those from before are not."""
    started, made = _event(2, NAME, "CREATE_IN_PROGRESS"), _event(3, "Bucket", "CREATE_COMPLETE")
    done = _event(4, NAME, "CREATE_COMPLETE")
    told = _follow(
        stubbed, [BEFORE], [made, started, BEFORE], [made, started], [done, made, started]
    )
    assert [one.logical for one in told] == [NAME, "Bucket", NAME]


def test_failure_names_the_cause_before_what_it_led_to(stubbed: StubbedAccount) -> None:
    """Others are cancelled because of it; a first creation has to be deleted."""
    events = [
        _event(6, NAME, "ROLLBACK_COMPLETE"),
        _event(5, NAME, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed: [Bucket]"),
        _event(4, "Source", "CREATE_FAILED", "Resource creation cancelled"),
        _event(3, "Bucket", "CREATE_FAILED", "churn-ml already exists"),
        BEFORE,
    ]
    with pytest.raises(RefusedError) as failed:
        _follow(stubbed, events)
    assert failed.value.problem == (
        f"the stack {NAME} ended in ROLLBACK_COMPLETE: Bucket (AWS::S3::Bucket): "
        "churn-ml already exists"
    )
    assert f"delete-stack --stack-name {NAME}" in (failed.value.remedy or "")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("ROLLBACK_FAILED", "delete-stack"),
        ("UPDATE_ROLLBACK_COMPLETE", "it was set back to what it was"),
        ("DELETE_COMPLETE", "somebody deleted it"),
    ],
)
def test_each_bad_end_has_its_own_way_out(stubbed: StubbedAccount, status: str, words: str) -> None:
    """A rollback that failed has set nothing back."""
    with pytest.raises(RefusedError) as failed:
        _follow(stubbed, [_event(2, NAME, status), BEFORE])
    assert words in (failed.value.remedy or "")


def test_role_that_trusts_one_that_is_not_there_yet_names_the_order(
    stubbed: StubbedAccount,
) -> None:
    """IAM refuses a principal of another account that does not exist."""
    events = [
        _event(3, NAME, "UPDATE_ROLLBACK_COMPLETE"),
        _event(2, "PlanRole", "CREATE_FAILED", "Invalid principal in policy"),
        BEFORE,
    ]
    with pytest.raises(RefusedError) as failed:
        _follow(stubbed, events)
    assert "apply the stacks of that account first" in (failed.value.remedy or "")


def test_time_that_is_up_leaves_the_stack_to_cloudformation(stubbed: StubbedAccount) -> None:
    """The next `ci apply` takes it up."""
    stubbed.answers(CF, "describe_stack_events", {"StackEvents": [BEFORE]})
    follower = StackFollower(stubbed.gateway, ARN, lambda _event: None, -1)
    stubbed.answers(CF, "describe_stack_events", {"StackEvents": [BEFORE]})
    with pytest.raises(RefusedError) as late:
        follower.until_done()
    assert "run `ci apply` again" in (late.value.remedy or "")


def test_operation_that_an_interrupted_run_has_begun_is_waited_for(
    stubbed: StubbedAccount,
) -> None:
    """Its further events are told; the stack is read when it is free."""
    busy = _event(2, NAME, "CREATE_IN_PROGRESS")
    stubbed.answers(CF, "describe_stack_events", {"StackEvents": [busy]})
    told: list[StackEvent] = []
    follower = StackFollower(stubbed.gateway, ARN, told.append, 60)
    done = _event(3, NAME, "CREATE_COMPLETE")
    for status, events in (("CREATE_IN_PROGRESS", [busy]), ("CREATE_COMPLETE", [done, busy])):
        stubbed.answers(CF, "describe_stack_events", {"StackEvents": events})
        stubbed.answers(CF, "describe_stacks", _stack(status))
        stubbed.answers(CF, "get_template_summary", {})
        stubbed.answers(CF, "list_stack_resources", {"StackResourceSummaries": []})
    assert follower.until_free().status == "CREATE_COMPLETE"
    assert [one.status for one in told] == ["CREATE_COMPLETE"]


def test_deletion_that_is_under_way_is_waited_for(stubbed: StubbedAccount) -> None:
    """A deleted stack is still found by its ARN; it is made anew then."""
    stubbed.answers(CF, "describe_stack_events", {"StackEvents": []})
    follower = StackFollower(stubbed.gateway, ARN, lambda _event: None, 60)
    stubbed.answers(CF, "describe_stack_events", {"StackEvents": []})
    stubbed.answers(CF, "describe_stacks", _stack("DELETE_COMPLETE"))
    assert not follower.until_free().is_there


@pytest.mark.parametrize(
    ("status", "words"),
    [("PENDING", "Update pending connection"), ("ERROR", "ci init --connection ARN")],
)
def test_connection_that_is_not_available_is_left_to_do(
    stubbed: StubbedAccount, status: str, words: str
) -> None:
    """With the place in the console where a person confirms it."""
    connection = {"ConnectionName": "pipelines", "ConnectionStatus": status}
    stubbed.answers("codeconnections", "get_connection", {"Connection": connection})
    step = pending_step(stubbed.gateway, "arn:aws:codeconnections:us-east-1:1:connection/1")
    assert step is not None
    assert f"is {status}" in step
    assert words in step
    assert "https://us-east-1.console.aws.amazon.com/codesuite/settings/connections" in step


def test_available_connection_leaves_nothing_to_do(stubbed: StubbedAccount) -> None:
    """A push starts the pipeline."""
    connection = {"ConnectionName": "pipelines", "ConnectionStatus": "AVAILABLE"}
    stubbed.answers("codeconnections", "get_connection", {"Connection": connection})
    assert pending_step(stubbed.gateway, "arn") is None
