"""Which steps words select, where steps stand in others."""

from __future__ import annotations

import json

import pytest

from pipelines.errors import UsageError
from pipelines.execution.schedule import read_schedule
from pipelines.execution.selection import select, selected_steps, without_condition
from pipelines.json_types import JsonObject
from tests.unit.definition.samples import for_each_step


def _step(name: str, **more: object) -> JsonObject:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "x"}, **more}


CONDITION: JsonObject = {
    "Name": "gate",
    "Type": "Condition",
    "Arguments": {
        "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
        "IfSteps": [_step("inner")],
        "ElseSteps": [],
    },
}
SCHEDULE = read_schedule(
    json.dumps({"Version": "2020-12-01", "Steps": [for_each_step([_step("body")]), CONDITION]})
)


@pytest.mark.parametrize("word", ["body", "body+", "+body"])
def test_a_step_of_a_loop_is_selected_with_the_loop_alone(word: str) -> None:
    """It runs once for each item: there is no one of it."""
    with pytest.raises(UsageError, match="once for each item of `loop`") as refused:
        selected_steps([word], SCHEDULE, {})
    assert refused.value.remedy == "select `loop`"
    with pytest.raises(UsageError, match="once for each item of `loop`"):
        select(SCHEDULE, ["body"], None)
    assert selected_steps(["loop"], SCHEDULE, {}) == ("loop",)


def test_a_step_of_a_branch_can_be_selected_without_its_condition() -> None:
    """It then runs whatever the condition decides, which is said."""
    assert selected_steps(["inner"], SCHEDULE, {}) == ("inner",)
    assert [*without_condition(SCHEDULE, ["inner"])] == [("inner", "gate")]
    assert select(SCHEDULE, ["inner"], None).definition.steps["inner"].gate is None
    assert selected_steps(["gate+"], SCHEDULE, {}) == ("gate", "inner")
