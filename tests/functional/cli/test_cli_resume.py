"""`checkpoints: {resume: EXECUTION}`: a training goes on with what another execution has saved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.functional.cli.in_process import Answer, run_in

SPEC = """\
spec: 1
pipeline: resumes
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
steps:
  train:
    kind: training
    image: sklearn-1.9-cpu
    script: train.py
    inputs: {train: "s3://lake/train/"}
    hyperparameters: {epochs: 4}
    checkpoints: {}
"""
TRAIN = """\
import os
from pathlib import Path

saved = Path(os.environ["SM_CHECKPOINT_DIR"], "epoch")
rows = Path(os.environ["SM_CHANNEL_TRAIN"], "x.csv").read_text()
begin = int(saved.read_text()) if saved.exists() else 0
print("begins with epoch", begin, flush=True)
for epoch in range(begin, int(os.environ["SM_HP_EPOCHS"])):
    saved.write_text(str(epoch + 1))
    if (epoch, begin, rows) == (1, 0, "1"):
        raise SystemExit("out of luck")
Path(os.environ["SM_MODEL_DIR"], "model").write_text("trained")
"""
SWEEP = """\
spec: 1
pipeline: sweeps
aws: {{role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}}
steps:
  sweep:
    kind: experiments
    image: sklearn-1.9-cpu
    script: train.py
    matrix: {{rate: [1, 2]}}
    metric_definitions: {{score: 'score=([0-9.]+)'}}
    best: {{metric: score, goal: maximize}}
    checkpoints: {checkpoints}
"""
SWEPT = """\
import os
from pathlib import Path

saved, rate = Path(os.environ["SM_CHECKPOINT_DIR"], "epoch"), os.environ["SM_HP_RATE"]
begin = int(saved.read_text()) if saved.exists() else 0
print("rate", rate, "begins with epoch", begin, flush=True)
saved.write_text("2")
if (begin, rate) == (0, "2"):
    raise SystemExit("out of luck")
print("score=0.5")
"""


@pytest.fixture
def failed(tmp_path: Path) -> str:
    """Run a training that fails after two epochs; return its execution."""
    lake = tmp_path / ".pipelines/s3/lake/train"
    lake.mkdir(parents=True)
    (lake / "x.csv").write_text("1")
    (tmp_path / "pipeline.yaml").write_text(SPEC)
    (tmp_path / "train.py").write_text(TRAIN)
    answer = run_in(tmp_path, "run")
    assert answer.code == 5, answer.err
    return answer.out.partition("execution ")[2].split()[0]


def resume(project: Path, execution: str, epochs: int = 4) -> Answer:
    """Run with the checkpoints of an execution."""
    whole = SPEC.replace("checkpoints: {}", f"checkpoints: {{resume: {execution}}}")
    whole = whole.replace("epochs: 4", f"epochs: {epochs}")
    (project / "pipeline.yaml").write_text(whole)
    return run_in(project, "run")


def log_of(project: Path, answer: Answer) -> str:
    """Read the log of the training of a run."""
    execution = answer.out.partition("execution ")[2].split()[0]
    return run_in(project, "logs", "--local", execution).out


def test_a_training_goes_on_with_the_checkpoints_of_an_execution(
    tmp_path: Path, failed: str
) -> None:
    """With its data and hyperparameters; once it is done, and where it is unknown, that is said."""
    answer = resume(tmp_path, failed)
    assert answer.code == 0, answer.err
    assert "begins with epoch 2" in log_of(tmp_path, answer)
    done = resume(tmp_path, failed)
    assert done.code == 2
    assert f"step `train` in execution {failed} is done: there is nothing to resume" in done.err
    unknown = resume(tmp_path, "aaaabbbbcccc")
    assert unknown.code == 2
    assert "there is no execution `aaaabbbbcccc`" in unknown.err
    shutil.rmtree(tmp_path / f".pipelines/s3/team-bucket/resumes/runs/{failed}/train/checkpoints")
    nothing = resume(tmp_path, failed)
    assert nothing.code == 2
    assert f"execution {failed} has saved no checkpoints of step `train`" in nothing.err


def test_a_sweep_goes_on_with_the_members_that_are_not_done(tmp_path: Path) -> None:
    """Those that are, and those that had not begun, begin anew: the selection needs all."""
    (tmp_path / "train.py").write_text(SWEPT)
    (tmp_path / "pipeline.yaml").write_text(SWEEP.format(checkpoints="{}"))
    failed = run_in(tmp_path, "run").out.partition("execution ")[2].split()[0]
    resumed = SWEEP.format(checkpoints=f"{{resume: {failed}}}").replace("[1, 2]", "[1, 2, 3]")
    (tmp_path / "pipeline.yaml").write_text(resumed)
    answer = run_in(tmp_path, "run")
    assert answer.code == 0, answer.err
    assert "best of 3" in answer.out
    log = log_of(tmp_path, answer)
    for value, begin in ((1, 0), (2, 2), (3, 0)):
        assert f"rate {value} begins with epoch {begin}" in log
    assert "whose training is done: they are ignored" in log
    (tmp_path / "pipeline.yaml").write_text(resumed.replace("[1, 2, 3]", "[1, 2]"))
    assert "is done: there is nothing to resume" in run_in(tmp_path, "run").err


@pytest.mark.parametrize(
    ("rows", "epochs", "why"),
    [("2", 4, "other data"), ("1", 5, "other hyperparameters (epochs 4, now 5)")],
    ids=["data", "parameters"],
)
def test_a_checkpoint_of_another_training_is_set_aside(
    tmp_path: Path, failed: str, rows: str, epochs: int, why: str
) -> None:
    """Other rows, or other hyperparameters: it begins anew, the log says so, nothing is lost."""
    (tmp_path / ".pipelines/s3/lake/train/x.csv").write_text(rows)
    (tmp_path / "train.py").write_text(TRAIN.replace('(1, 0, "1")', "()"))
    answer = resume(tmp_path, failed, epochs)
    assert answer.code == 0, answer.err
    log = log_of(tmp_path, answer)
    assert f"made with {why}: they are ignored" in log
    assert "begins with epoch 0" in log
    checkpoints = tmp_path / f".pipelines/s3/team-bucket/resumes/runs/{failed}/train/checkpoints"
    (aside,) = (checkpoints / ".set-aside").rglob("epoch")
    assert aside.read_text() == "2"
    assert (checkpoints / "epoch").read_text() == str(epochs)
