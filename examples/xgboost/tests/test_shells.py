"""The training script as SageMaker starts it; what it writes answers a DMatrix."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pipelines.testing.jobs import Jobs

PROJECT = Path(__file__).parents[1]
SHELLS = "4.0,0,0.4,0.1,0.2\n12.0,1,0.7,0.2,1.1\n" * 20


def test_the_model_that_is_trained_is_the_one_that_answers(sagemaker_job: Jobs) -> None:
    """`predict_fn` gets the DMatrix that the image makes of CSV."""
    xgboost = pytest.importorskip("xgboost", reason="the image brings XGBoost")
    inputs = {name: {"abalone.csv": SHELLS} for name in ("train", "validation")}
    result = sagemaker_job.step("train", inputs=inputs).run()
    assert result.exit_code == 0, result.failure
    assert result.metrics("error")[-1] < 1
    spec = importlib.util.spec_from_file_location("inference", PROJECT / "serving/inference.py")
    assert spec is not None
    assert spec.loader is not None
    inference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inference)
    model = inference.model_fn(str(result.model))
    ages = inference.predict_fn(xgboost.DMatrix([[0, 0.4, 0.1, 0.2], [1, 0.7, 0.2, 1.1]]), model)
    assert ages.tolist() == pytest.approx([4.0, 12.0], abs=0.2)
