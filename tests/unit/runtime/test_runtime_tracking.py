"""A training that has ended well becomes a run of MLflow, and never fails for it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

import pipelines
from pipelines.runtime.bundle import Job
from pipelines.runtime.container import Container, Hosts
from pipelines.runtime.tracking import log_run, place, run_of, values_in

ROOT = Path(pipelines.__file__).parents[1]
MLFLOW = """\
import contextlib, json, os
_log = open(os.environ["MLFLOW_TRACKING_URI"][len("file://"):], "a")
def _keep(*what):
    _log.write(json.dumps(what) + chr(10))
def set_experiment(name):
    _keep("experiment", name)
@contextlib.contextmanager
def start_run(run_name, tags):
    _keep("run", run_name, tags)
    yield
def log_params(parameters):
    _keep("parameters", parameters)
def log_metric(name, value, step):
    _keep("metric", name, value, step)
def log_artifacts(folder, below):
    _keep("artifacts", sorted(os.listdir(folder)), below)
"""


def tracked(arn: str | None = None) -> Job:
    """Return the configuration of a job with runs of MLflow."""
    mlflow = {"arn": arn, "metrics": {"loss": "loss=([0-9.]+)", "odd": "(?<broken"}}
    return Job("train", "training", "train.py", tracking={"mlflow": mlflow})


def container(host: str = "algo-1") -> Container:
    """Return the configuration of one host of two."""
    hosts = Hosts(host, ("algo-1", "algo-2"), "ml.m5.xlarge", None, {})
    return Container("job-1", hosts, {"epochs": "2"}, {}, {}, {}, isolated=False)


def logged(tmp_path: Path, mlflow: str | None) -> list[object]:
    """Log a run with a client that keeps what it is given; return that."""
    model, client, kept = (tmp_path / name for name in ("model", "client", "kept"))
    for folder in (model, client):
        folder.mkdir()
    (model / "weights").touch()
    kept.touch()
    if mlflow is not None:
        (client / "mlflow.py").write_text(mlflow)
    run = run_of(tracked(), container(), model, "loss=0.5\nloss=0.25\nloss=nan.\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(client),
        "MLFLOW_TRACKING_URI": kept.as_uri(),
        "MLFLOW_EXPERIMENT_NAME": "delays",
    }
    log_run(run, Path(sys.executable), environment, ROOT)
    return [json.loads(line) for line in kept.read_text().splitlines()]


def test_parameters_metrics_and_model_become_a_run(tmp_path: Path) -> None:
    """In the experiment, named as the job; a metric has all of its values in order."""
    assert logged(tmp_path, MLFLOW) == [
        ["experiment", "delays"],
        ["run", "job-1", {"pipelines.step": "train"}],
        ["parameters", {"epochs": "2"}],
        ["metric", "loss", 0.5, 0],
        ["metric", "loss", 0.25, 1],
        ["artifacts", ["weights"], "model"],
    ]


@pytest.mark.parametrize(
    ("client", "why"),
    [
        ("raise ImportError('none')", "mlflow is not installed in the Python of the job"),
        ("def set_experiment(name):\n    raise OSError('no route')\n", "OSError: no route"),
        ("import os\nos._exit(7)\n", "returned non-zero exit status 7"),
    ],
    ids=["absent", "refused", "dead"],
)
def test_what_goes_wrong_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], client: str, why: str
) -> None:
    """No client, no network, a client that dies: the job has ended well all the same."""
    assert logged(tmp_path, client) == []
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("pipelines: nothing was logged to MLflow: ")
    assert why in line


def test_what_mlflow_refuses_takes_nothing_else_with_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A name of a metric, say: the run is whole otherwise, and has not failed."""
    refusing = MLFLOW.replace("def log_metric", "def accept_metric") + (
        "def log_metric(name, value, step):\n    raise ValueError('Names may only contain')\n"
    )
    assert logged(tmp_path, refusing) == [
        ["experiment", "delays"],
        ["run", "job-1", {"pipelines.step": "train"}],
        ["parameters", {"epochs": "2"}],
        ["artifacts", ["weights"], "model"],
    ]
    assert capfd.readouterr().err == (
        "pipelines: the metric loss was not logged to MLflow: ValueError: Names may only contain\n"
    )


def test_runs_go_to_this_machine_before_the_account(tmp_path: Path) -> None:
    """Locally never to the server; in the account `local` logs nothing; the user's own stays."""
    arn = "arn:aws:sagemaker:eu-central-1:111122223333:mlflow-app/a"
    assert place(tracked(arn), {"PIPELINES_MLFLOW_URI": "file:///runs"}) == {
        "MLFLOW_TRACKING_URI": "file:///runs",
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }
    assert place(tracked(arn), {}) == {"MLFLOW_TRACKING_URI": arn}
    assert place(tracked(arn), {"MLFLOW_TRACKING_URI": "http://own"})["MLFLOW_TRACKING_URI"] == (
        "http://own"
    )
    assert place(tracked(), {}) == {}
    assert run_of(tracked(), container("algo-2"), tmp_path, "") is None
    assert values_in("a=1 b=2", "(a)=(1)") == []
