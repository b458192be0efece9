from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steps import features

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.testing.data import Data
    from pipelines.testing.jobs import Jobs
    from pipelines.testing.results import JobResult
    from tests.steps.conftest import Workspace

ROOT = Path(__file__).resolve().parents[2]
AUC = r"validation auc=([0-9.]+)"
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture
def sagemaker_project() -> Path:
    """The example's project is this repository."""
    return ROOT


def run_features(jobs: Jobs, inputs: dict[str, Data]) -> JobResult:
    """Run features.py as a processing job."""
    outputs = ["train", "validation", "test", "encoders"]
    return jobs.processing("steps/features.py", inputs=inputs, outputs=outputs).run()


def run_training(
    jobs: Jobs, folders: dict[str, Path], hosts: int, hyperparameters: dict[str, object]
) -> JobResult:
    """Run train.py as a training job, one process a host; a single host needs no launcher."""
    channels: dict[str, Data] = {
        name: folders[name] for name in ("train", "validation", "encoders")
    }
    return jobs.training(
        "training/train.py",
        channels=channels,
        hyperparameters=hyperparameters,
        hosts=hosts,
        distribution="torchrun" if hosts > 1 else None,
        environment=ONE_THREAD,
    ).run()


def evaluated_auc(jobs: Jobs, model: Path, test: Path) -> float:
    """Run evaluate.py as a processing job and read the AUC of its report."""
    result = jobs.processing(
        "steps/evaluate.py",
        inputs={"test": test},
        outputs=["report", "pictures"],
        model=model,
    ).run()
    assert result.exit_code == 0, result.log
    assert len(list(result.outputs["pictures"].iterdir())) == 4
    auc: float = json.loads((result.outputs["report"] / "evaluation.json").read_text())["auc"]
    return auc


def test_features_run_as_a_processing_job(
    sagemaker_job: Jobs, flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame
) -> None:
    """The container's layout, the runtime's variables and the bundled modules are enough."""
    result = run_features(
        sagemaker_job,
        {
            "flights": flights,
            "weather": {"weather.csv": weather},
            "planes": {"planes.csv": planes},
        },
    )
    assert result.exit_code == 0, result.log
    assert len(list(result.outputs["train"].iterdir())) == 8
    encoders = json.loads((result.outputs["encoders"] / "encoders.json").read_text())
    assert list(encoders["numbers"]) == list(features.NUMBERS)


@pytest.mark.slow
def test_two_hosts_train_one_model(sagemaker_job: Jobs, prepared: Workspace) -> None:
    """Each host reads its own half; one model comes out, and evaluation can read it."""
    folders = {path.name: path for path in prepared.root.iterdir()}
    result = run_training(
        sagemaker_job, folders, 2, {"epochs": 2, "batch_size": 32, "learning_rate": 0.02}
    )
    assert result.exit_code == 0, result.log
    rows = [int(n) for n in re.findall(r"train rows=(\d+)", result.log)]
    assert len(rows) == 2
    assert max(rows) - min(rows) <= 1
    assert len(result.metrics(AUC)) == 2
    assert evaluated_auc(sagemaker_job, result.model, folders["test"]) > 0.6


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_hosts_learn_the_real_flights_as_well_as_one(sagemaker_job: Jobs) -> None:
    """AUC is above 0.70 with two hosts and within 0.01 of one host."""
    data = {name: ROOT / "data" / name for name in ("flights", "weather", "planes")}
    if not all(folder.is_dir() for folder in data.values()):
        pytest.skip("data/ is not there: python tools/flights.py data/ makes it")
    prepared = run_features(sagemaker_job, dict(data))
    assert prepared.exit_code == 0, prepared.log
    found = {}
    for hosts in (1, 2):
        result = run_training(sagemaker_job, dict(prepared.outputs), hosts, {"epochs": 4})
        assert result.exit_code == 0, result.log
        found[hosts] = evaluated_auc(sagemaker_job, result.model, prepared.outputs["test"])
    assert found[2] >= 0.70
    assert found[2] == pytest.approx(found[1], abs=0.01)
