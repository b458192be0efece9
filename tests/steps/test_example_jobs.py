from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steps import features

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pipelines.testing.jobs import Jobs
    from pipelines.testing.results import JobResult
    from tests.steps.conftest import Workspace

ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def run_training(
    jobs: Jobs, folders: Mapping[str, Path], hosts: int, hyperparameters: dict[str, object]
) -> JobResult:
    """Run the training step; a single host needs no launcher."""
    return jobs.step(
        "train",
        inputs={name: folders[name] for name in ("train", "validation", "encoders")},
        hyperparameters=hyperparameters,
        hosts=hosts,
        distribution="torchrun" if hosts > 1 else None,
        environment=ONE_THREAD,
    ).run()


def evaluated_auc(jobs: Jobs, model: Path, test: Path) -> float:
    """Run the evaluation step and read the AUC of its report."""
    result = jobs.step("evaluate", model=model, inputs={"test": test}).run()
    assert result.exit_code == 0, result.log
    assert len(list(result.outputs["pictures"].iterdir())) == 4
    auc: float = json.loads(result.reports["report"].read_text())["auc"]
    return auc


def test_features_run_as_a_processing_job(
    sagemaker_job: Jobs, flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame
) -> None:
    """The container's layout, the runtime's variables and the bundled modules are enough."""
    result = sagemaker_job.step(
        "features",
        inputs={
            "flights": flights,
            "weather": {"weather.csv": weather},
            "planes": {"planes.csv": planes},
        },
    ).run()
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
    assert len(result.metrics("auc")) == 2
    assert evaluated_auc(sagemaker_job, result.model, folders["test"]) > 0.6


@pytest.mark.everything
@pytest.mark.timeout(900)
def test_two_hosts_learn_the_real_flights_as_well_as_one(sagemaker_job: Jobs) -> None:
    """AUC is above 0.70 with two hosts and within 0.01 of one host."""
    if not (ROOT / "data" / "flights").is_dir():
        pytest.skip("data/ is not there: python tools/flights.py data/ makes it")
    prepared = sagemaker_job.step("features").run()
    assert prepared.exit_code == 0, prepared.log
    found = {}
    for hosts in (1, 2):
        result = run_training(sagemaker_job, prepared.outputs, hosts, {"epochs": 2})
        assert result.exit_code == 0, result.log
        found[hosts] = evaluated_auc(sagemaker_job, result.model, prepared.outputs["test"])
    assert found[2] >= 0.70
    assert found[2] == pytest.approx(found[1], abs=0.01)
