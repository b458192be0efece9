"""Batch inference inside a pipeline: a `transform` step, and a step that reads its predictions."""

from __future__ import annotations

import json

import pytest

from tests.local.e2e.tiny_project import Project

SPEC = """\
    spec: 1
    pipeline: tiny
    data:
      rows: data/
    defaults:
      image: sklearn-1.9-cpu
    x-ran: &ran
      RAN: ${env.RAN}
    steps:
      train:
        kind: training
        script: steps/train.py
        environment: *ran
      predict:
        kind: transform
        model: ${steps.train.model}
        serving:
          source: serving/
          image: sklearn-1.9-cpu
        input: ${data.rows}
        content_type: text/csv
        accept: text/csv
        split: line
        strategy: multi
        assemble: line
        join: input
        input_filter: $[1:]
        max_concurrent_transforms: 2
        environment: {ADD: 1}
      count:
        kind: processing
        script: steps/count.py
        environment: *ran
        inputs:
          predictions: ${steps.predict.predictions}
        reports:
          counts: counts.json
"""
REGISTERED = """\
      register:
        kind: registration
        group: tiny
        model: ${steps.train.model}
        approval_status: Approved
        serving:
          source: serving/
          image: sklearn-1.9-cpu
      again:
        kind: transform
        version: ${steps.register.package}
        input: ${data.rows}
        content_type: text/csv
        split: line
        assemble: line
        input_filter: $[1:]
"""
INFERENCE = """\
import os
from pathlib import Path

def model_fn(folder):
    return int(Path(folder, "model.txt").read_text()) + int(os.environ.get("ADD", "0"))

def transform_fn(model, body, content_type, accept):
    text = body.decode() if isinstance(body, bytes) else body
    sums = [sum(map(int, line.split(","))) for line in text.splitlines()]
    return "\\n".join(str(one + model) for one in sums), accept
"""
COUNT = """\
import json

lines = Path(os.environ["SM_CHANNEL_PREDICTIONS"], "rows.csv.out").read_text().splitlines()
report = {"lines": lines}
Path(os.environ["SM_OUT_COUNTS"], "counts.json").write_text(json.dumps(report))
"""


@pytest.fixture
def predicting(project: Project) -> Project:
    """Return a project with a tiny model and its serving code."""
    project.write("pipeline.yaml", SPEC)
    project.write("data/rows.txt", "")
    (project.folder / "data" / "rows.txt").unlink()
    project.write("data/rows.csv", "a,1,2\nb,3,4\n")
    project.write("serving/inference.py", INFERENCE)
    project.script("train", 'Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("100")\n')
    project.script("count", COUNT)
    return project


def test_a_model_predicts_in_the_pipeline_and_a_later_step_reads_the_predictions(
    predicting: Project,
) -> None:
    """Each record stands with its result; outputs, logs and the page show the step."""
    ended = predicting.run("run")
    assert ended.code == 0, ended.text
    shown = predicting.run("outputs", "--local", "--format", "json")
    assert "predict.predictions" in shown.out, shown.text
    (counts,) = predicting.home.rglob("counts/counts.json")
    assert json.loads(counts.read_text()) == {"lines": ["a,1,2,104", "b,3,4,108"]}
    logs = predicting.run("logs", "--local", "latest", "predict")
    assert logs.code == 0, logs.text
    report = predicting.run("report", "--local")
    assert report.code == 0, report.text


def test_a_version_of_the_registry_predicts_with_its_own_code_and_image(
    predicting: Project,
) -> None:
    """Without the variables of the other step; one that is not approved is refused."""
    predicting.write("pipeline.yaml", SPEC + REGISTERED)
    ended = predicting.run("run")
    assert ended.code == 0, ended.text
    runs = predicting.home / "s3" / "pipelines-000000000000" / "tiny" / "runs"
    (output,) = runs.glob("*/again/predictions/rows.csv.out")
    assert output.read_text() == "103\n107\n"
    predicting.edit("approval_status: Approved", "approval_status: PendingManualApproval")
    refused = predicting.run("run")
    assert refused.code != 0
    assert "PendingManualApproval" in refused.text
