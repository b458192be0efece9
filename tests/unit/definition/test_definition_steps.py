"""One walk over the steps of a definition, and what each of them waits for."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipelines.definition import outline
from pipelines.definition.dependencies import dependencies
from pipelines.definition.steps import take_apart
from pipelines.json_types import Json, JsonObject
from tests.unit.definition.samples import (
    condition_step,
    fail_step,
    for_each_step,
    get,
    lambda_step,
)

BODY = [lambda_step("a", get("ForEach.CurrentItem")), lambda_step("b", DependsOn=["a"])]
NESTED: JsonObject = {
    "Parameters": [{"Name": "n", "Type": "Integer"}, {"Name": "untyped"}, 7],
    "Steps": [
        lambda_step("last", get("Steps.gate.Outcome"), DependsOn=[{"Step": "loop"}, "other"]),
        condition_step("gate", for_each_step(BODY), fail_step("stop")),
        {"Name": "plain", "Type": "Lambda", "Arguments": {"IfSteps": [lambda_step("data")]}},
        "no step",
    ],
}


def test_every_step_is_met_once_in_the_order_of_the_text() -> None:
    """Only Types that hold steps are looked into; what is no step is set apart."""
    parts = take_apart(NESTED)
    assert [step.name for step in parts.steps] == [
        *("last", "gate", "loop", "a", "b", "stop", "plain")
    ]
    assert parts.misplaced == ((("Steps", 3), "no step"),)
    assert parts.parameters == {"n": "Integer", "untyped": "String"}


def test_a_step_knows_where_it_stands() -> None:
    """Branches outermost first; one that runs once per item makes everything in it repeat."""
    named = take_apart(NESTED).named
    body = named["b"]
    assert [(one.owner, one.argument, one.nested.word) for one in body.within] == [
        ("gate", "IfSteps", "then"),
        ("loop", "ForEachBody", "each"),
    ]
    assert (body.repeats, named["loop"].repeats, named["gate"].branch) == (True, False, None)
    assert body.path == (*("Steps", 1, "Arguments", "IfSteps", 0, "Arguments", "ForEachBody"), 1)


def test_a_step_apart_holds_no_steps() -> None:
    """Neither do the references of a step count those inside it."""
    parts = take_apart(NESTED)
    gate, loop = parts.named["gate"], parts.named["loop"]
    assert gate.apart["Arguments"]["IfSteps"] == []
    assert gate.apart["Arguments"]["Conditions"] == gate.arguments["Conditions"]
    assert loop.gets == ()
    assert [step.name for step in parts.inside(gate)] == ["loop", "a", "b", "stop"]
    assert parts.named["plain"].apart is parts.named["plain"].whole


def test_a_step_depends_on_what_it_names_in_any_way() -> None:
    """`DependsOn` with its trigger, references, and names in arguments."""
    cleanup: JsonObject = {
        "Name": "clean",
        "Type": "Cleanup",
        "DependsOn": [{"Step": "x", "Trigger": "Any"}],
        "Arguments": {"Resources": {"S3": [{"StepName": "y"}]}, "Note": get("Steps.z.Path")},
    }
    (step,) = take_apart({"Steps": [cleanup]}).steps
    assert [(one.step, one.trigger) for one in dependencies(step)] == [
        ("x", "Any"),
        ("z", "Completed"),
        ("y", "Completed"),
    ]


def test_the_outline_puts_a_step_behind_what_it_waits_for() -> None:
    """The step that holds it is among that."""
    steps = [lambda_step("late", get("Steps.gate.Outcome")), condition_step("gate", BODY[0])]
    outlined = outline({"Steps": steps})
    assert [(one.step.name, one.waits_for) for one in outlined] == [
        ("gate", ()),
        ("late", ("gate",)),
        ("a", ("gate",)),
    ]


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Steps", "Name", "Type", "Arguments", "IfSteps", "DependsOn"]),
            inner | st.sampled_from(["Condition", "ForEach", "a", "b"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["Steps", "Parameters"]), _JSON))
def test_any_object_is_taken_apart(whole: JsonObject) -> None:
    """Each step is found at its path, and the path of every reference leads to its text."""

    def at(path: tuple[str | int, ...]) -> Json:
        value: Json = whole
        for part in path:
            value = value[part]
        return value

    parts = take_apart(whole)
    for step in parts.steps:
        assert at(step.path) is step.whole
        for found in step.gets:
            assert at(found.path) == found.target.text
    assert all(at(path) is value for path, value in parts.misplaced)


def test_branches_many_levels_deep_are_walked() -> None:
    """As deep as JSON itself is read."""
    step = lambda_step("inner")
    for depth in range(150):
        step = condition_step(f"c{depth}", step)
    assert len(take_apart(json.loads(json.dumps({"Steps": [step]}))).steps) == 151
