"""Condition steps: what holds, what cannot be compared, and which branch runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors.condition import ConditionError, decide
from pipelines.execution.events import StepSkipped
from pipelines.json_types import Json, JsonObject

if TYPE_CHECKING:
    from tests.local.engine.conftest import Bench

Write = Callable[..., JsonObject]


def _compare(kind: str, left: Json, right: Json) -> JsonObject:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


TRUE = _compare("Equals", 1, 1)
FALSE = _compare("Equals", 1, 2)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (_compare("Equals", "a", "a"), True),
        (_compare("Equals", 0.5, 0.5), True),
        ({"Type": "Equals", "LeftValue": True, "RightValue": False}, False),
        (_compare("GreaterThan", 2, 1.5), True),
        (_compare("GreaterThan", 2, 2), False),
        (_compare("GreaterThanOrEqualTo", 2, 2), True),
        (_compare("LessThan", 0.1, 1), True),
        (_compare("LessThan", 1, 1), False),
        (_compare("LessThanOrEqualTo", 6, 6), True),
        (_compare("LessThan", "a", "b"), True),
        ({"Type": "In", "QueryValue": "a", "Values": ["a", "b"]}, True),
        ({"Type": "In", "QueryValue": "c", "Values": ["a", "b"]}, False),
        ({"Type": "Not", "Condition": TRUE}, False),
        ({"Type": "Or", "Conditions": [FALSE, TRUE]}, True),
        ({"Type": "Or", "Conditions": [FALSE, FALSE]}, False),
        ({"Type": "Not", "Condition": {"Type": "Or", "Conditions": [FALSE]}}, True),
    ],
)
def test_conditions_decide_as_the_service_documents(condition: JsonObject, holds: bool) -> None:  # noqa: FBT001
    """Each type of the definition language."""
    assert decide(condition) is holds


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (_compare("Equals", 1, 1.0), "of one type, not the integer 1 and the float 1.0"),
        (_compare("Equals", "1", 1), 'of one type, not the string "1" and the integer 1'),
        (_compare("GreaterThan", "1", 1), 'cannot compare the string "1" and the integer 1'),
        (_compare("LessThan", None, 1), "cannot compare null and the integer 1"),
        (_compare("NotEquals", 1, 1), "a condition of type NotEquals"),
        ({"Type": "In", "Value": 1, "In": [1]}, "a condition of type In"),
        ({}, "a condition of type None"),
    ],
)
def test_conditions_that_cannot_be_decided_say_why(condition: JsonObject, reason: str) -> None:
    """Mixed types fail as in the SDK's local mode; unknown types name the known ones."""
    with pytest.raises(ConditionError) as raised:
        decide(condition)
    assert reason in raised.value.problem


@pytest.mark.parametrize(("holds", "ran"), [(True, "yes"), (False, "no")])
def test_only_the_branch_that_was_taken_runs_and_is_listed(
    bench: Bench,
    make_step: Write,
    branch: Write,
    holds: bool,  # noqa: FBT001
    ran: str,
) -> None:
    """Steps of the other branch do not appear among the execution's steps."""
    branches = {"IfSteps": [make_step("yes")], "ElseSteps": [make_step("no")]}
    run = bench.run(branch("c", branches, holds=holds))
    assert run.statuses() == {"c": "Succeeded", ran: "Succeeded"}
    assert run.steps["c"]["Metadata"] == {"Condition": {"Outcome": str(holds)}}
    skipped = {"yes", "no"} - {ran}
    assert [event.step for event in bench.events if isinstance(event, StepSkipped)] == [*skipped]


def test_the_top_list_of_conditions_is_anded(bench: Bench, make_step: Write) -> None:
    """One that does not hold decides."""
    arguments = {"Conditions": [TRUE, FALSE], "IfSteps": [make_step("yes")], "ElseSteps": []}
    run = bench.run({"Name": "c", "Type": "Condition", "Arguments": arguments})
    assert run.statuses() == {"c": "Succeeded"}
    assert run.status == "Succeeded"


def test_a_condition_waits_for_what_it_compares(bench: Bench, make_step: Write) -> None:
    """A reference in a condition is a dependency of the condition, not of its branches."""
    condition = _compare("Equals", {"Get": "Steps.a.x"}, 3)
    inner = make_step("b", y={"Get": "Steps.late.x"})
    arguments = {"Conditions": [condition], "IfSteps": [inner], "ElseSteps": []}
    run = bench.run(
        {"Name": "c", "Type": "Condition", "Arguments": arguments},
        make_step("a", x=3),
        make_step("late", x="z", DependsOn=["c"]),
    )
    assert run.status == "Succeeded"
    assert bench.jobs.names == ["a", "late", "b"]


def test_nested_conditions_are_executed(bench: Bench, make_step: Write, branch: Write) -> None:
    """An inner condition runs only when its branch was taken, and so does what it holds."""
    taken = branch(
        "inner", {"IfSteps": [make_step("x")], "ElseSteps": [make_step("y")]}, holds=False
    )
    left = branch("other", {"IfSteps": [make_step("z")]}, holds=True)
    run = bench.run(branch("outer", {"IfSteps": [taken], "ElseSteps": [left]}, holds=True))
    assert run.statuses() == dict.fromkeys(("outer", "inner", "y"), "Succeeded")


def test_a_step_after_a_branch_that_was_not_taken_does_not_run(
    bench: Bench, make_step: Write, branch: Write
) -> None:
    """A dependency on a step that never runs is never met, and the execution still succeeds."""
    run = bench.run(
        branch("c", {"ElseSteps": [make_step("no")]}, holds=True),
        make_step("after", DependsOn=["no"]),
    )
    assert run.statuses() == {"c": "Succeeded"}
    assert run.status == "Succeeded"


def test_a_condition_that_cannot_be_decided_fails_and_runs_no_branch(
    bench: Bench, make_step: Write
) -> None:
    """The step's FailureReason is the comparison that was impossible."""
    arguments = {
        "Conditions": [_compare("Equals", "1", 1)],
        "IfSteps": [make_step("yes")],
        "ElseSteps": [make_step("no")],
    }
    run = bench.run({"Name": "c", "Type": "Condition", "Arguments": arguments})
    assert run.status == "Failed"
    assert "compares values of one type" in run.steps["c"]["FailureReason"]
    assert run.statuses() == {"c": "Failed"}


def test_a_fail_step_ends_the_execution_with_its_message(
    bench: Bench, make_step: Write, branch: Write
) -> None:
    """The message may refer to other steps."""
    message = {"Std:Join": {"On": "", "Values": ["auc ", {"Get": "Steps.a.auc"}, " is too low"]}}
    fail = {"Name": "reject", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
    run = bench.run(make_step("a", auc=0.4), branch("c", {"IfSteps": [fail]}, holds=True))
    assert run.status == "Failed"
    assert run.steps["reject"]["FailureReason"] == "auc 0.4 is too low"
    assert run.steps["reject"]["Metadata"] == {"Fail": {"ErrorMessage": "auc 0.4 is too low"}}
    assert run.reason is not None
    assert "reject: auc 0.4 is too low" in run.reason
