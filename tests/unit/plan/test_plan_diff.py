"""The structural difference of definitions: complete, deterministic, matched by name."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.json_types import Json, JsonObject
from pipelines.plan.diff import Change, diff, same
from pipelines.plan.diff import ChangeKind as Kind
from pipelines.plan.words import short, value_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-1, 1) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("AB", max_size=2), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def steps(draw: st.DrawFn, depth: int = 1) -> JsonObject:
    """Draw a step, now and then one with branches, now and then one that is none."""
    step: JsonObject = {"Name": draw(NAMES), "Type": "Training", "Arguments": draw(JSON)}
    if depth and draw(st.booleans()):
        branch = st.lists(steps(depth - 1), max_size=2)
        step["Arguments"] = {"IfSteps": draw(branch), "ElseSteps": draw(branch)}
    if draw(st.booleans()):
        item = st.fixed_dictionaries({"InputName": NAMES, "S3Uri": JSON})
        step["Inputs"] = draw(st.lists(item, max_size=3))
    return step


DEFINITIONS = st.fixed_dictionaries(
    {"Version": JSON}, optional={"Steps": st.lists(steps(), max_size=4) | JSON}
)


@given(DEFINITIONS, DEFINITIONS)
def test_there_are_differences_exactly_when_two_definitions_differ(
    one: JsonObject, other: JsonObject
) -> None:
    """Whatever they are: what is deployed may be anybody's JSON."""
    assert bool(diff(one, other)) is not same(one, other)


@given(DEFINITIONS)
def test_nothing_differs_from_itself(one: JsonObject) -> None:
    """Also from a copy whose keys stand in another order."""
    other = json.loads(json.dumps(one, sort_keys=True))
    assert diff(one, other) == ()


@given(DEFINITIONS, DEFINITIONS)
def test_the_same_question_has_the_same_answer(one: JsonObject, other: JsonObject) -> None:
    """In the same order."""
    assert repr(diff(one, other)) == repr(diff(copy.deepcopy(one), copy.deepcopy(other)))


def step(name: str, **arguments: Json) -> JsonObject:
    """Write a step."""
    return {"Name": name, "Type": "Training", "Arguments": arguments}


def lines(changes: tuple[Change, ...]) -> list[str]:
    """Write changes as `step.path: before → after`."""
    return [
        f"{c.kind} {c.step}.{short(c.path)}: {value_text(c.before)} → {value_text(c.after)}"
        for c in changes
    ]


def test_steps_are_matched_by_name_not_by_place() -> None:
    """A step that is put before another changes nothing of that one."""
    one = {"Steps": [step("train", ResourceConfig={"InstanceType": "ml.m5.xlarge"})]}
    other = {
        "Steps": [
            step("new"),
            step("train", ResourceConfig={"InstanceType": "ml.g5.xlarge"}),
        ]
    }
    added, changed = diff(one, other)
    assert (added.kind, added.step) == (Kind.ADDED, "new")
    assert lines((changed,)) == ["changed train.instance_type: ml.m5.xlarge → ml.g5.xlarge"]


def test_a_step_that_moves_into_a_branch_has_moved() -> None:
    """It is not taken away and made anew."""
    gate: JsonObject = {
        "Name": "gate",
        "Type": "Condition",
        "Arguments": {"IfSteps": [], "ElseSteps": []},
    }
    inside = copy.deepcopy(gate)
    inside["Arguments"] = {"IfSteps": [step("train")], "ElseSteps": []}
    (change,) = diff({"Steps": [gate, step("train")]}, {"Steps": [inside]})
    assert (change.kind, change.step) == (Kind.MOVED, "train")
    assert (change.before, change.after) == ([], ["gate", "IfSteps"])


def test_steps_in_another_order_are_one_difference() -> None:
    """The order means nothing to the service, but it is another text."""
    one, other = step("a"), step("b")
    (change,) = diff({"Steps": [one, other]}, {"Steps": [other, one]})
    assert (change.kind, change.before, change.after) == (
        Kind.ORDERED,
        ["a", "b"],
        ["b", "a"],
    )


def test_items_of_lists_are_matched_by_their_names() -> None:
    """Channels by ChannelName, tags by Key; items without a name by their place."""
    one = step(
        "train",
        InputDataConfig=[{"ChannelName": "x", "DataSource": {"S3DataSource": {"S3Uri": "s3://1"}}}],
        Tags=[{"Key": "team", "Value": "ml"}],
        DebugRules=[{"Parameter": 1}],
    )
    other = step(
        "train",
        InputDataConfig=[
            {"ChannelName": "y"},
            {"ChannelName": "x", "DataSource": {"S3DataSource": {"S3Uri": "s3://2"}}},
        ],
        Tags=[{"Key": "team", "Value": "ops"}],
        DebugRules=[{"Parameter": 2}],
    )
    assert lines(diff({"Steps": [one]}, {"Steps": [other]})) == [
        "changed train.inputs.x: s3://1 → s3://2",
        'added train.inputs.y: null → {"ChannelName": "y"}',
        "changed train.tags.team.value: ml → ops",
        "changed train.debug_rules.0.parameter: 1 → 2",
    ]


def test_a_reference_is_one_value() -> None:
    """It is shown as a spec writes it, not taken apart."""
    join = {"Std:Join": {"On": "/", "Values": ["s3://b", {"Get": "Execution.PipelineExecutionId"}]}}
    one = step("train", HyperParameters={"epochs": "3", "where": "x"})
    other = step("train", HyperParameters={"epochs": {"Get": "Parameters.epochs"}, "where": join})
    assert lines(diff({"Steps": [one]}, {"Steps": [other]})) == [
        "changed train.hyperparameters.epochs: 3 → ${parameters.epochs}",
        "changed train.hyperparameters.where: x → s3://b/${execution.PipelineExecutionId}",
    ]


def test_numbers_and_booleans_are_told_apart() -> None:
    """Python takes 1 and true for the same; the service does not."""
    assert len(diff({"Metadata": {"a": 1}}, {"Metadata": {"a": True}})) == 1


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("Arguments", "ProcessingResources", "ClusterConfig", "InstanceCount"), "instance_count"),
        (("Arguments", "AlgorithmSpecification", "TrainingImage"), "image"),
        (("Arguments", "StoppingCondition", "MaxRuntimeInSeconds"), "max_runtime_in_seconds"),
        (("Arguments", "Environment", "MyVariable"), "environment.MyVariable"),
        (("CacheConfig", "ExpireAfter"), "cache"),
        (("Arguments", "ResourceConfig", "InstancePreferences"), "instance_type"),
        (("RetryPolicies",), "retry_policies"),
        (("Arguments", "VpcConfig", "Subnets"), "vpc_config.subnets"),
        (("Arguments",), "Arguments"),
    ],
)
def test_paths_are_written_in_the_words_of_a_spec(path: tuple[str, ...], words: str) -> None:
    """Members that only hold others together are left out."""
    assert short(path) == words


def test_several_instance_types_are_written_as_in_a_spec() -> None:
    """A list of names; entries with numbers of their own stay what they are."""
    types = [{"InstanceType": "ml.m5.large"}, {"InstanceType": {"Get": "Parameters.other"}}]
    assert value_text(types) == "[ml.m5.large, ${parameters.other}]"
    counted = [{"InstanceType": "ml.m5.large", "InstanceCount": 2}]
    assert value_text(counted) == json.dumps(counted)
    assert value_text([]) == "[]"


def test_a_long_value_is_cut() -> None:
    """And is one line."""
    text = value_text("line\n" * 100)
    assert len(text) == 72
    assert text.endswith("…")
    assert "\n" not in text
