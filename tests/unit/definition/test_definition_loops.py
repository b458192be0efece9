"""What must not stand in a ForEach step, with its code and its place."""

from __future__ import annotations

import pytest

from pipelines.definition import check_definition
from pipelines.diagnostics import Severity
from pipelines.json_types import JsonObject
from tests.unit.definition.samples import fail_step, for_each_step, get, lambda_step, with_steps

CASES: list[tuple[str, JsonObject, tuple[str | int, ...]]] = [
    (
        "SP522",
        with_steps(for_each_step([fail_step("end")])),
        ("Steps", 2, "Arguments", "ForEachBody", 0, "Type"),
    ),
    (
        "SP522",
        with_steps(lambda_step("a", get("ForEach.CurrentItem"))),
        ("Steps", 2, "Arguments", "value", "Get"),
    ),
    (
        "SP522",
        with_steps(for_each_step([lambda_step("a")], IterableItems=[])),
        ("Steps", 2, "Arguments", "IterableItems"),
    ),
    (
        "SP522",
        with_steps(
            for_each_step(
                [lambda_step("a")], Selector={"Pick": "MaxBy", "Field": get("IterationOutput.b.x")}
            )
        ),
        ("Steps", 2, "Arguments", "Selector", "Field"),
    ),
    (
        "SP415",
        with_steps(for_each_step([lambda_step("a")], MaxConcurrency=51)),
        ("Steps", 2, "Arguments", "MaxConcurrency"),
    ),
]


@pytest.mark.parametrize(("code", "definition", "path"), CASES)
def test_a_mistake_in_a_loop_has_its_code_and_its_place(
    code: str, definition: JsonObject, path: tuple[str | int, ...]
) -> None:
    """The path leads to the exact place in the JSON."""
    found = [f for f in check_definition(definition) if (f.code, f.path) == (code, path)]
    assert [one.severity for one in found] == [Severity.ERROR]
