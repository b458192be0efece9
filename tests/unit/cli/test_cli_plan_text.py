"""A plan in words: one line for each resource that a person has to know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from pipelines.cli.plan_text import plan_text
from pipelines.cli.plan_words import PlanWords
from pipelines.cli.printing import escaped
from pipelines.grammar.paths import Key
from pipelines.plan.caching import Cause, Miss, Reason
from pipelines.plan.diff import Change
from pipelines.plan.diff import ChangeKind as Kind
from pipelines.plan.files import FileChange, FileChangeKind
from pipelines.plan.model import GroupPlan, PipelinePlan, Plan, TagChange, Upload

CODE_FILE = Path("x.csv")
CODE = "s3://b/churn/code/train/2/bundle.pyz"
FILES = (FileChange("a.py", FileChangeKind.CHANGED), FileChange("b.py", FileChangeKind.REMOVED))


def written(*changes: Change, **more: Any) -> list[str]:
    """Write a plan whose pipeline has these changes, without its first line and its last."""
    pipeline = PipelinePlan("churn", "arn", "{}", {}, TagChange(), changes)
    plan = Plan("churn", (), (), (pipeline,), "s3://b/d", files={CODE: FILES}, **more)
    return plan_text(plan, "account 1").splitlines()[1:-1]


def plain(line: str) -> str:
    """Take the colours out of a line."""
    return click.unstyle(escaped(line))


EPOCHS = ("Parameters", Key("epochs"))
CHANGES = [
    (
        Change(Kind.CHANGED, None, (*EPOCHS, "DefaultValue"), 4, 5),
        "~ parameter epochs.default: 4 → 5",
    ),
    (
        Change(Kind.ADDED, None, EPOCHS, None, {"Name": "epochs", "Type": "Integer"}),
        '+ parameter epochs: {"Name": "epochs", "Type": "Integer"}',
    ),
    (Change(Kind.ADDED, "x", (), None, {"Type": "Fail"}), "+ step x (Fail)"),
    (Change(Kind.REMOVED, "x", (), {"Type": "Fail"}, None), "- step x (Fail)"),
    (
        Change(Kind.MOVED, "x", (), [], ["gate", "ElseSteps"]),
        "~ step x: moves from the top level to gate.else",
    ),
    (
        Change(Kind.ORDERED, None, ("Steps",), ["a", "b"], ["b", "a"]),
        "~ steps: now in the order b, a",
    ),
    (
        Change(Kind.CHANGED, "train", ("Arguments", "ResourceConfig", "InstanceType"), "m", "g"),
        "~ train.instance_type: m → g",
    ),
    (
        Change(Kind.CHANGED, "train", ("Arguments", "InputDataConfig", Key("code")), "s3", CODE),
        "~ train.code: a.py, b.py (gone)",
    ),
    (
        Change(Kind.CHANGED, "x", ("Arguments", "A"), "y" * 99 + "1", "y" * 99 + "2"),
        "~ x.a: differs beyond what is shown here",
    ),
    (
        Change(Kind.ADDED, "x", ("Arguments", "Tags", Key("k")), None, {"Key": "k", "Value": "v"}),
        "+ x.tags.k: v",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "line"), CHANGES, ids=[line for _, line in CHANGES])
def test_each_sort_of_change_is_one_line(change: Change, line: str) -> None:
    """With a sign that says what happened to it."""
    assert [plain(text) for text in written(change)][1:] == [f"  {line}"]


REASONS = [
    (Reason(Cause.NEW), "the step is new"),
    (Reason(Cause.NOT_CACHED_BEFORE), "it was not cached before"),
    (Reason(Cause.UPSTREAM, name="x"), "x runs again and changes its input"),
    (
        Reason(Cause.PARAMETER, (), "epochs", 4, 5),
        "the default of parameter epochs changed: 4 → 5",
    ),
    (
        Reason(Cause.EXECUTION, name="StartDateTime"),
        "it depends on execution.StartDateTime, which differs in every execution",
    ),
    (
        Reason(Cause.CHANGED, ("Arguments", "InputDataConfig", Key("code")), "", "s3", CODE),
        "code changed: a.py, b.py (gone)",
    ),
    (Reason(Cause.CHANGED, ("Arguments", "HyperParameters")), "hyperparameters changed"),
]


@pytest.mark.parametrize(("reason", "text"), REASONS, ids=[text for _, text in REASONS])
@pytest.mark.parametrize("certain", [True, False])
def test_each_reason_of_a_miss_is_said(reason: Reason, text: str, *, certain: bool) -> None:
    """And whether it is known."""
    lines = written(misses=(Miss("train", (reason,), certain),))
    assert plain(lines[-1]) == f"  train: {'' if certain else 'perhaps: '}{text}"


def test_uploads_groups_and_tags() -> None:
    """Of many files the first ten are named."""
    files = tuple(FileChange(f"{number}.csv", FileChangeKind.ADDED) for number in range(12))
    plan = Plan(
        "churn",
        (
            Upload("data", "raw", (("s3://1", CODE_FILE), ("s3://2", CODE_FILE)), files),
            Upload("data", "other", (("s3://3", CODE_FILE),)),
        ),
        (GroupPlan("new", None), GroupPlan("old", "arn", TagChange({"a": "b"}, ("c",)))),
        (),
        "s3://b/d",
        warnings=("no rule",),
    )
    shown = ", ".join(f"{number}.csv (new)" for number in range(10))
    assert [plain(line) for line in plan_text(plan, "here").splitlines()] == [
        "churn in here",
        f"upload    data raw: {shown} and 2 more",
        "upload    data other (1 file)",
        "create    model package group new",
        "update    model package group old",
        "  ~ tag a: b",
        "  - tag c",
        "3 to upload, 1 to create, 1 to update",
        "warning: no rule",
    ]


def test_the_settings_of_each_step_stand_with_it() -> None:
    """Steps share a line where the same keys differ in the same way, and only there."""
    path = ("Arguments", "ProcessingInputs", Key("code"))
    most = {"a": 4, "b": 4, "c": 9}
    files = {
        f"s3://b/{step}/2": (
            FileChange(
                "the step's configuration",
                FileChangeKind.CHANGED,
                (Change(Kind.CHANGED, None, ("realtime", "autoscaling", "max"), 3, number),),
            ),
        )
        for step, number in most.items()
    }
    changes = tuple(
        Change(Kind.CHANGED, step, path, f"s3://b/{step}/1", f"s3://b/{step}/2") for step in most
    )
    assert [*PlanWords(files).changes(changes)] == [
        ("~", "a, b.code: the step's configuration"),
        ("~", "a, b.realtime.autoscaling.max: 3 → 4"),
        ("~", "c.code: the step's configuration"),
        ("~", "c.realtime.autoscaling.max: 3 → 9"),
    ]
