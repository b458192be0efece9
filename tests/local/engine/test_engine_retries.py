"""Retry policies: which faults are tried again, after how long, how often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.execution.events import StepRetried
from pipelines.execution.status import StepStatus
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from tests.local.engine.conftest import Answer, Bench

Write = Callable[..., JsonObject]
CAPACITY = "SageMaker.CAPACITY_ERROR"
THROTTLED = "Step.THROTTLING"


def _faulty(*faults: str | None, then: Answer) -> Answer:
    """Fail with these faults, one after the other, then answer."""
    left: Iterator[str | None] = iter(faults)

    def answer(call: StepCall) -> StepOutcome:
        try:
            fault = next(left)
        except StopIteration:
            return then(call)
        return StepOutcome(StepStatus.FAILED, {}, reason=f"{fault}", fault=fault)

    return answer


def test_a_fault_is_tried_again_with_growing_waits(
    bench: Bench, make_step: Write, succeeding: Answer
) -> None:
    """IntervalSeconds times BackoffRate to the power of the retries so far."""
    bench.jobs.answers["a"] = _faulty(CAPACITY, CAPACITY, CAPACITY, then=succeeding)
    policy = {"ExceptionType": [CAPACITY], "IntervalSeconds": 10, "BackoffRate": 3.0}
    run = bench.run(make_step("a", RetryPolicies=[{**policy, "MaxAttempts": 3}]))
    assert run.status == "Succeeded"
    assert bench.clock.waits == [10.0, 30.0, 90.0]
    assert run.steps["a"]["AttemptCount"] == 4
    retried = [event for event in bench.events if isinstance(event, StepRetried)]
    assert [event.attempt for event in retried] == [1, 2, 3]
    names = [call.job_name for call in bench.jobs.calls]
    assert len(set(names)) == 4
    assert [name[-2:] for name in names] == ["-0", "-1", "-2", "-3"]


def test_a_wait_that_no_number_holds_is_as_long_as_a_step_may_run(
    bench: Bench, make_step: Write, succeeding: Answer
) -> None:
    """The service's schema bounds no BackoffRate: it may grow beyond every float."""
    bench.jobs.answers["a"] = _faulty(CAPACITY, CAPACITY, CAPACITY, then=succeeding)
    policy = {"ExceptionType": [CAPACITY], "IntervalSeconds": 1, "BackoffRate": 1e300}
    run = bench.run(make_step("a", RetryPolicies=[{**policy, "MaxAttempts": 3}]))
    assert run.status == "Succeeded"
    assert bench.clock.waits == [1.0, 28 * 86_400.0, 28 * 86_400.0]


def test_the_defaults_are_one_second_doubled_five_times(
    bench: Bench, make_step: Write, succeeding: Answer
) -> None:
    """As the SDK writes them; after that the step has failed with the last reason."""
    bench.jobs.answers["a"] = _faulty(*[CAPACITY] * 9, then=succeeding)
    run = bench.run(make_step("a", RetryPolicies=[{"ExceptionType": [CAPACITY]}]))
    assert bench.clock.waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert run.statuses() == {"a": "Failed"}
    assert run.steps["a"]["FailureReason"] == CAPACITY


@pytest.mark.parametrize("fault", [THROTTLED, None])
def test_other_faults_and_the_users_own_failures_are_not_tried_again(
    bench: Bench, make_step: Write, succeeding: Answer, fault: str | None
) -> None:
    """A script that ends with 1 would do so again."""
    bench.jobs.answers["a"] = _faulty(fault, then=succeeding)
    run = bench.run(make_step("a", RetryPolicies=[{"ExceptionType": [CAPACITY]}]))
    assert run.statuses() == {"a": "Failed"}
    assert bench.clock.waits == []


def test_each_policy_counts_its_own_retries(
    bench: Bench, make_step: Write, succeeding: Answer
) -> None:
    """Two faults, each within its own limit."""
    bench.jobs.answers["a"] = _faulty(CAPACITY, THROTTLED, CAPACITY, then=succeeding)
    policies = [
        {"ExceptionType": [CAPACITY], "IntervalSeconds": 5, "MaxAttempts": 2},
        {"ExceptionType": [THROTTLED], "IntervalSeconds": 7, "MaxAttempts": 1},
    ]
    run = bench.run(make_step("a", RetryPolicies=policies))
    assert run.status == "Succeeded"
    assert bench.clock.waits == [5.0, 7.0, 10.0]


def test_expire_after_min_counts_minutes_instead_of_attempts(
    bench: Bench, make_step: Write, succeeding: Answer
) -> None:
    """A retry that would begin after the time is over is not made."""
    bench.jobs.answers["a"] = _faulty(*[CAPACITY] * 9, then=succeeding)
    policy = {
        "ExceptionType": [CAPACITY],
        "IntervalSeconds": 30,
        "BackoffRate": 1.0,
        "ExpireAfterMin": 1,
    }
    run = bench.run(make_step("a", RetryPolicies=[policy]))
    assert bench.clock.waits == [30.0, 30.0]
    assert run.statuses() == {"a": "Failed"}
