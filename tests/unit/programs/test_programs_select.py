"""`programs/select`: what became of the members of an experiment, and which is the best."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.programs.select.main import choose, summary
from pipelines.programs.select.members import Member, read_members
from pipelines.programs.select.picture import drawn
from pipelines.runtime.errors import JobError
from tests.unit.programs.allowed import Allowed

RUN, EARLIER = (f"arn:aws:sagemaker:us-east-1:1:pipeline/p/execution/{one}" for one in "ab")


class SageMaker:
    """Executions and training jobs as they are listed and described."""

    def __init__(self) -> None:
        self.steps: dict[str, list[dict[str, Any]]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}

    def ran(self, execution: str, step: str, status: str = "Completed", **job: Any) -> None:
        """Add a step that ran a job."""
        name = f"pipelines-{step}"
        arn = f"arn:aws:sagemaker:us-east-1:1:training-job/{name}"
        listed = {"StepName": step, "StepStatus": "?", "Metadata": {"TrainingJob": {"Arn": arn}}}
        self.steps.setdefault(execution, []).append(listed)
        self.jobs[name] = {"TrainingJobStatus": status, **job}

    def describe_training_job(self, **request: Any) -> dict[str, Any]:
        """Describe a job."""
        return self.jobs[request["TrainingJobName"]]

    def get_paginator(self, operation: str) -> SageMaker:
        """Return itself: it answers with one page for each step."""
        assert operation == "list_pipeline_execution_steps"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Yield pages."""
        for step in self.steps.get(request["PipelineExecutionArn"], []):
            yield {"PipelineExecutionSteps": [step]}


def _metric(value: float) -> dict[str, Any]:
    return {
        "FinalMetricDataList": [{"MetricName": "score", "Value": value}],
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://b/{value}/model.tar.gz"},
    }


@pytest.fixture
def account() -> SageMaker:
    """An execution with a good, a failed, a reused and a missing member."""
    sagemaker = SageMaker()
    sagemaker.ran(RUN, "sweep-1", **_metric(0.5), TrainingTimeInSeconds=7, BillableTimeInSeconds=3)
    sagemaker.ran(RUN, "sweep-2", "Failed", FailureReason="out of memory\nmore", **_metric(0.9))
    sagemaker.ran(EARLIER, "sweep-3", **_metric(0.7))
    hit = {"SourcePipelineExecutionArn": EARLIER}
    sagemaker.steps[RUN].append(
        {"StepName": "sweep-3", "StepStatus": "Succeeded", "CacheHitResult": hit}
    )
    return sagemaker


def _read(account: SageMaker) -> list[Member]:
    rows = [{"step": f"sweep-{n}", "parameters": [["rate", n / 10]]} for n in range(1, 5)]
    actions: set[str] = set()
    members = read_members(Allowed("select", "sagemaker", account, actions), RUN, rows)
    assert actions == {"sagemaker:ListPipelineExecutionSteps", "sagemaker:DescribeTrainingJob"}
    return members


def test_members_are_read_by_describe_whatever_became_of_them(account: SageMaker) -> None:
    """A failed step gives nothing to refer to; a cached one names the execution that ran it."""
    good, failed, reused, missing = _read(account)
    assert (good.status, good.metrics, good.seconds, good.billed) == (
        "Completed",
        {"score": 0.5},
        7,
        3,
    )
    assert (failed.status, failed.reason) == ("Failed", "out of memory\nmore")
    assert (reused.model, reused.parameters) == ("s3://b/0.7/model.tar.gz", {"rate": 0.3})
    assert (missing.status, missing.job) == ("NotRun", None)


def test_what_a_row_does_not_name_is_what_its_job_was_given() -> None:
    """Of the entries of the matrix: whichever member is the best has them."""
    account = SageMaker()
    given = {"depth": "3", "rate": "1e-1", "flag": "true", "loss": "l1", "big": "1e999", "n": "[1]"}
    account.ran(RUN, "s-1", HyperParameters={**given, "seed": "7"}, **_metric(0.5))
    resources = {"InstanceType": "ml.m5.large", "SelectedInstanceType": "ml.c5.large"}
    image = {"TrainingImage": "1.dkr.ecr.us-east-1.amazonaws.com/x:1"}
    account.ran(RUN, "s-2", ResourceConfig=resources, AlgorithmSpecification=image)
    names = [*given, "unknown", "instance_type", "image"]
    all_of_them = [[name, 0] for name in names]
    rows: list[dict[str, Any]] = [
        {"step": "s-1", "parameters": [["rate", 9]]},
        {"step": "s-2", "parameters": []},
        {"step": "s-3", "parameters": all_of_them},
    ]
    first, second, _ = read_members(account, RUN, rows)
    assert first.parameters == {
        "rate": 9, "depth": 3, "flag": True, "loss": "l1", "big": "1e999", "n": "[1]"
    }  # fmt: skip
    assert second.parameters == {"instance_type": "ml.c5.large", "image": image["TrainingImage"]}


def test_the_best_has_completed_and_ties_are_the_first(account: SageMaker) -> None:
    """A failed member is never the best, however good its last value was."""
    members = _read(account)
    assert choose(members, "score", "maximize").step == "sweep-3"
    assert choose(members, "score", "minimize").step == "sweep-1"
    again = [*members, Member("sweep-5", {}, "Completed", metrics={"score": 0.7})]
    assert choose(again, "score", "maximize").step == "sweep-3"
    nan = [Member("sweep-1", {}, "Completed", metrics={"score": float("nan")}), *members]
    assert choose(nan, "score", "maximize").step == "sweep-3"


def test_without_any_value_each_member_is_named_with_its_reason(account: SageMaker) -> None:
    """The job fails with what its reader has to know."""
    with pytest.raises(JobError, match=r"sweep-2 Failed \(out of memory\); .*sweep-4 NotRun"):
        choose(_read(account), "auc", "maximize")
    silent = [
        Member("a", {}, "Completed", metrics={"score": float("nan")}),
        Member("b", {}, "Completed"),
    ]
    with pytest.raises(
        JobError, match=r"a Completed \(the value nan\); b .*\(nothing in its log\)"
    ):
        choose(silent, "score", "maximize")


def test_the_message_names_the_best_and_what_did_not_complete(account: SageMaker) -> None:
    """It becomes the job's ExitMessage."""
    members = _read(account)
    best = choose(members, "score", "maximize")
    assert summary({"metric": "score"}, members, best) == (
        "best of 4: sweep-3 (rate=0.3), score 0.7; 2 of 4 did not complete: sweep-2, sweep-4"
    )


def test_the_picture_has_a_bar_for_each_value_and_text_is_escaped(account: SageMaker) -> None:
    """Values below zero are drawn too; a member without a value has its status."""
    members = [*_read(account), Member("sweep-5", {"rate": "<&>"}, metrics={"score": -0.5})]
    report = {
        "experiment": "sweep",
        "metric": "score",
        "goal": "maximize",
        "best": "sweep-3",
        "members": [one.document() for one in members],
    }
    root = ET.fromstring(drawn(json.loads(json.dumps(report))))  # noqa: S314 - written here
    bars = root.findall("{http://www.w3.org/2000/svg}rect")[1:]
    texts = [one.text for one in root.findall("{http://www.w3.org/2000/svg}text")]
    assert len(bars) == 4
    assert {"rate=<&>", "0.7 best", "NotRun"} <= set(texts)
