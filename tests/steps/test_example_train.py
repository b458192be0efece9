from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from training import checkpoint, train
from training.data import fingerprint, read_encoders, read_rank, steps_per_epoch
from training.distributed import Process, from_first, gather
from training.model import DelayModel

if TYPE_CHECKING:
    from tests.steps.conftest import Workspace

ROOT = Path(__file__).resolve().parents[2]
ALONE = Process(rank=0, world_size=1, device=torch.device("cpu"))
SMALL = train.Hyperparameters(epochs=3, batch_size=32, learning_rate=0.02, hidden=(16,))
WORDS = ["--epochs", "3", "--batch_size", "32", "--learning_rate", "0.02", "--hidden", "16"]

LEAVE_A_GROUP = """
import time
from pathlib import Path
import torch
from torch.nn.parallel import DistributedDataParallel
from training.distributed import process_group

def threads():
    return {name.read_text().strip() for name in Path("/proc/self/task").glob("*/comm")}

def train(fails):
    network = DistributedDataParallel(torch.nn.Linear(1, 1))
    deadline = time.monotonic() + 60  # a thread takes its name only once it runs
    while "gloo_tcp_loop" not in threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    print("gloo_tcp_loop" in threads())
    if fails:
        raise ValueError

for fails in (False, True):
    try:
        with process_group():
            train(fails)
    except ValueError:
        pass
    print("gloo_tcp_loop" in threads())
"""


class HostLostError(Exception):
    """The host went away."""


class Interrupted(train.Trainer):
    """A training whose host is lost in the last epoch."""

    def train_epoch(self, epoch: int) -> float:
        """Train, but not the last epoch."""
        if epoch == self.settings.epochs:
            raise HostLostError
        return super().train_epoch(epoch)


def fit(
    workspace: Workspace, folder: Path | None, kind: type[train.Trainer] = train.Trainer
) -> dict[str, torch.Tensor]:
    """Train on the small data from the first weights on and give the best ones."""
    root = workspace.root
    encoders = read_encoders(root / "encoders")
    rows = read_rank(root / "train", encoders, 0, 1)
    torch.manual_seed(SMALL.seed)
    model = DelayModel(encoders, SMALL.hidden, SMALL.dropout)
    steps = steps_per_epoch(len(rows), SMALL.batch_size, 1)
    trainer = kind(ALONE, model, rows, steps, SMALL)
    validation = read_rank(root / "validation", encoders, 0, 1)
    mark = fingerprint(root / "train", encoders, {})
    return train.fit(trainer, validation, folder, mark).state_dict()


def logged(text: str, metric: str) -> list[float]:
    """Find a metric's values as SageMaker does, by a regular expression."""
    return [float(value) for value in re.findall(rf"{metric}=([0-9.]+)", text)]


def test_a_single_process_trains_and_exports(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Loss and AUC are logged each epoch; the model learns what the small data hold."""
    train.main(WORDS)
    text = capsys.readouterr().out
    assert len(logged(text, "train loss")) == 3
    assert len(logged(text, "validation loss")) == 3
    assert max(logged(text, "validation auc")) > 0.6
    written = sorted(path.name for path in (workspace.root / "model").iterdir())
    assert written == ["metadata.json", "model.onnx"]


def test_training_twice_gives_the_same_model(workspace: Workspace) -> None:
    """All randomness hangs on the seed."""
    model = workspace.root / "model" / "model.onnx"
    train.main(WORDS)
    first = model.read_bytes()
    train.main(WORDS)
    assert model.read_bytes() == first
    train.main([*WORDS, "--seed", "8"])
    assert model.read_bytes() != first


@pytest.mark.slow
def test_three_processes_share_the_work_and_agree(workspace: Workspace) -> None:
    """Under torchrun each reads its part, all end, and only rank 0 writes and logs metrics."""
    words = ["--standalone", "--nproc_per_node", "3", "training/train.py"]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *words, *WORDS],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {int(n) for n in re.findall(r"train rows=(\d+)", done.stdout)}
    assert len(re.findall("train rows=", done.stdout)) == 3
    assert max(rows) - min(rows) <= 1
    assert len(logged(done.stdout, "validation auc")) == 3
    assert max(logged(done.stdout, "validation auc")) > 0.6
    assert (workspace.root / "model" / "model.onnx").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the names of threads from /proc")
def test_no_thread_of_the_group_outlives_it() -> None:
    """One that lets go of a tensor while the interpreter shuts down would abort the process.

    Neither after a training that succeeded nor after one that failed.
    """
    group = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-c", LEAVE_A_GROUP],
        cwd=ROOT,
        env={**os.environ, **group, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "False"] * 2


def test_an_interrupted_training_ends_as_if_nothing_had_happened(
    workspace: Workspace, tmp_path: Path
) -> None:
    """The checkpoint holds everything: weights, optimiser, schedule, best epoch."""
    expected = fit(workspace, None)
    folder = tmp_path / "checkpoints"
    with pytest.raises(HostLostError):
        fit(workspace, folder, Interrupted)
    found = fit(workspace, folder)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_finished_training_is_not_repeated(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left to train: the best weights come from the checkpoint."""
    first = fit(workspace, tmp_path / "checkpoints")
    capsys.readouterr()
    again = fit(workspace, tmp_path / "checkpoints")
    assert capsys.readouterr().out == ""
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_a_checkpoint_for_something_else_is_ignored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data or hyperparameters have changed: resuming would mix two models."""
    state: checkpoint.State = {
        "epoch": 2,
        "best_auc": 0.7,
        "best": {},
        "model": {},
        "optimizer": {},
        "schedule": {},
    }
    checkpoint.save(tmp_path, "one", state)
    assert checkpoint.load(tmp_path, "one") == state
    assert checkpoint.load(tmp_path, "another") is None
    assert "ignored" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_hyperparameters_come_as_words() -> None:
    """SageMaker hands every value over as text."""
    words = ["--learning_rate", "1e-3", "--hidden", "8,4", "--checkpoint_dir", "/opt/ml/c"]
    settings, folder = train.parse(words)
    assert settings.learning_rate == 0.001
    assert settings.hidden == (8, 4)
    assert folder == Path("/opt/ml/c")
    assert train.parse([]) == (train.Hyperparameters(), None)


def test_one_process_is_its_own_group() -> None:
    """Without torchrun gathering and broadcasting leave values as they are."""
    assert gather(ALONE, torch.zeros(2).numpy()).tolist() == [0.0, 0.0]
    assert from_first(ALONE, "value") == "value"
