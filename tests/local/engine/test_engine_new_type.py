"""A Type that is not there yet: two files and its shapes, and everything knows it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import steptypes
from pipelines.backends.local import executors
from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.compile.model import Compiled
from pipelines.compile.permissions import permissions
from pipelines.definition import check_definition
from pipelines.definition.needs import needs_of
from pipelines.json_types import JsonObject
from pipelines.plan.caching import misses
from pipelines.spec.model import Aws
from tests.local.engine.conftest import Bench, FakeClock, FakeJobs

DECLARED = """
from pipelines.steptypes.limits import ValueLimit
from pipelines.steptypes.steptype import Cache, Cluster, DataPlace, Resource, StepType

STEP_TYPE = StepType(
    name="Labeling",
    request="LabelingRequest",
    describe="LabelingResponse",
    aliases=("GroundTruth",),
    limits=(ValueLimit(at=("Workers.Count",), most=2, what="a team has two", source="a test"),),
    cache=Cache(key=("Input",)),
    retry_types=("Step.THROTTLING",),
    permissions={"sagemaker:CreateLabelingJob": ("labeling-job",)},
    listed_as="LabelingJob",
    resource=Resource("labeling-job", "LabelingJobName", "LabelingJobArn", log_group="/labels"),
    clusters=(Cluster(usage="labeling job", at="Workers", type="Kind", count="Count"),),
    outputs=(DataPlace(at="", name="labels", uri="Output"),),
)
"""
EXECUTOR = """
from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.execution.status import StepStatus


def execute(call: StepCall) -> StepOutcome:
    return StepOutcome(StepStatus.SUCCEEDED, {**call.arguments, "LabelingJobName": call.job_name})
"""
SHAPES = {
    "botocore": "1",
    "request": "LabelingRequest",
    "describe": "LabelingResponse",
    "shapes": {
        "LabelingRequest": {
            "type": "structure",
            "members": {"Input": "Text", "Output": "Text", "Workers": "Workers"},
            "required": ["Input"],
        },
        "LabelingResponse": {
            "type": "structure",
            "members": dict.fromkeys(("LabelingJobName", "LabelingJobArn", "Output"), "Text"),
        },
        "Workers": {"type": "structure", "members": {"Kind": "Text", "Count": "Number"}},
        "Text": {"type": "string"},
        "Number": {"type": "integer"},
    },
}


@pytest.fixture
def _labeling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add a Type `Labeling` to the packages, in a folder of its own."""
    files = {
        "steptypes/labeling.py": DECLARED,
        "steptypes/shapes/Labeling.json": json.dumps(SHAPES),
        "executors/labeling.py": EXECUTOR,
    }
    for name, text in files.items():
        path = tmp_path / "added" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for package, folder in ((steptypes, "steptypes"), (executors, "executors")):
        added = str(tmp_path / "added" / folder)
        monkeypatch.setattr(package, "__path__", [*package.__path__, added])
    _forget()
    yield
    monkeypatch.undo()
    _forget()
    for package in (steptypes, executors):
        sys.modules.pop(f"{package.__name__}.labeling", None)
        package.__dict__.pop("labeling", None)


def _forget() -> None:
    steptypes.names.cache_clear()
    steptypes.find.cache_clear()
    steptypes.every.cache_clear()


def _definition(step: JsonObject) -> JsonObject:
    return {"Version": "2020-12-01", "Parameters": [], "Steps": [step]}


ARGUMENTS: JsonObject = {
    "Input": "s3://b/in",
    "Output": "s3://b/out",
    "Workers": {"Kind": "ml.m5.large", "Count": 2},
}
STEP: JsonObject = {
    "Name": "label",
    "Type": "Labeling",
    "Arguments": ARGUMENTS,
    "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
    "RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 2}],
}


@pytest.mark.usefixtures("_labeling")
def test_a_new_type_is_checked_planned_and_needs_what_it_declares() -> None:
    """Shapes, limits, retries, cache, permissions and instances come from its module."""
    right = _definition(STEP)
    assert check_definition(right) == []
    (alias,) = check_definition(_definition({**STEP, "Type": "GroundTruth"}))
    assert alias.help == "did you mean `Labeling`?"
    wrong = {**STEP, "Arguments": {"Inptu": "s3://b/in", "Workers": {"Count": 3}}}
    found = {(f.code, f.path[-1]) for f in check_definition(_definition(wrong))}
    assert found == {("SP410", "Inptu"), ("SP420", "Count")}
    moved = {**STEP, "Arguments": {**ARGUMENTS, "Output": "s3://b/elsewhere"}}
    other = {**STEP, "Arguments": {**ARGUMENTS, "Input": "s3://b/other"}}
    assert misses(right, _definition(moved)) == ()
    assert [miss.step for miss in misses(right, _definition(other))] == ["label"]
    compiled = Compiled("p", {"p": json.dumps(right)}, (), ())
    needed = [permission.action for permission in permissions(compiled, Aws())]
    assert needed == ["sagemaker:CreateLabelingJob"]
    needs = needs_of(right)
    assert needs.instances == {("labeling job", "ml.m5.large"): 2}


@pytest.mark.usefixtures("_labeling")
def test_a_new_type_runs_and_is_taken_from_the_cache(settings: LocalSettings) -> None:
    """The engine finds its executor by the name."""
    with LocalSageMaker(settings, EngineParts()) as service:
        bench = Bench(settings.home, service, FakeJobs(), FakeClock())
        first, second = bench.run(STEP), bench.run()
    assert first.statuses() == second.statuses() == {"label": "Succeeded"}
    assert "CacheHitResult" not in first.steps["label"]
    assert "CacheHitResult" in second.steps["label"]


@pytest.mark.usefixtures("_labeling")
def test_a_stub_answers_for_a_new_type(bench: Bench, tmp_path: Path) -> None:
    """Name and ARN come from what it declares that it creates, files go to its outputs."""
    (tmp_path / "labels.csv").write_text("1\n", encoding="utf-8")
    stub = tmp_path / "stub.json"
    stub.write_text(json.dumps({"outputs": {"labels": "labels.csv"}}), encoding="utf-8")
    get = {"Get": "Steps.label.LabelingJobArn"}
    after = {"Name": "after", "Type": "Processing", "Arguments": {"arn": get}}
    run = bench.run(STEP, after, options=RunOptions(stubs={"label": stub}))
    assert run.status == "Succeeded"
    assert ":labeling-job/pipelines-" in bench.arguments("after")["arn"]
    assert (bench.home / "s3/b/out").is_file()
