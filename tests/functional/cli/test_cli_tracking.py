"""`tensorboard:` and `mlflow:`: where the curves and the run of a local training are."""

from __future__ import annotations

from pathlib import Path

from tests.functional.cli.in_process import run_in

SPEC = """\
spec: 1
pipeline: tracks
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
steps:
  train:
    kind: training
    image: sklearn-1.9-cpu
    script: train.py
    include: [mlflow.py]
    metric_definitions:
      loss: 'loss=([0-9.]+)'
    tensorboard: {}
    mlflow: arn:aws:sagemaker:us-east-1:111122223333:mlflow-app/app-0123
"""
TRAIN = """\
import os
from pathlib import Path

Path(os.environ["SM_TENSORBOARD_DIR"], "events.out.tfevents.1").write_text("curve")
Path(os.environ["SM_MODEL_DIR"], "weights").write_text("trained")
print("loss=0.5", os.environ["MLFLOW_TRACKING_URI"])
"""
MLFLOW = """\
import contextlib, os
from pathlib import Path

place = Path(os.environ["MLFLOW_TRACKING_URI"][len("file://"):])
place.mkdir(parents=True, exist_ok=True)
def set_experiment(name):
    (place / name).touch()
@contextlib.contextmanager
def start_run(**_):
    yield
def log_params(_):
    pass
def log_metric(name, value, step):
    (place / f"{name}-{step}").write_text(str(value))
def log_artifacts(folder, below):
    (place / below).write_text(",".join(os.listdir(folder)))
"""


def test_event_files_are_an_output_and_runs_are_below_pipelines(tmp_path: Path) -> None:
    """Never in the account's server: the spec names one, and nothing here reaches it."""
    for name, text in (("pipeline.yaml", SPEC), ("train.py", TRAIN), ("mlflow.py", MLFLOW)):
        (tmp_path / name).write_text(text)
    answer = run_in(tmp_path, "run")
    assert answer.code == 0, answer.out + answer.err
    runs = tmp_path / ".pipelines/mlflow"
    assert {one.name for one in runs.iterdir()} == {"tracks", "loss-0", "model"}
    assert (runs / "loss-0").read_text() == "0.5"
    assert (runs / "model").read_text() == "weights"
    shown = run_in(tmp_path, "outputs", "--local")
    line = next(line for line in shown.out.splitlines() if "train.tensorboard" in line)
    assert line.rstrip().endswith("/tensorboard-output/events.out.tfevents.1"), shown.out
