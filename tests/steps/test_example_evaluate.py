from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch
from matplotlib import image

from steps import evaluate, measures
from training.data import read_encoders
from training.export import export
from training.model import DelayModel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.steps.conftest import Workspace

PICTURES = ["calibration.png", "confusion.png", "roc.png", "slices.png"]


@pytest.fixture
def evaluated(workspace: Workspace) -> Path:
    """A workspace with an evaluated, untrained model; `HA` had punctual flights only."""
    encoders = read_encoders(workspace.root / "encoders")
    torch.manual_seed(0)
    model = DelayModel(encoders, hidden=(8,), dropout=0.0).eval()
    export(model, encoders, workspace.root / "model")
    path = next((workspace.root / "test").iterdir())
    rows = pd.read_parquet(path)
    rows.loc[rows.index[rows["late"] == 0][:3], "carrier"] = "HA"
    rows.to_parquet(path)
    evaluate.main(["--batch_size", "50"])
    return workspace.root


def test_the_report_is_strict_json_with_the_documented_keys(evaluated: Path) -> None:
    """The pipeline's condition reads `auc`; no NaN or Infinity may stand anywhere."""
    text = (evaluated / "report" / "evaluation.json").read_text()
    report = json.loads(text, parse_constant=pytest.fail)
    assert set(report) == set(measures.Report.__annotations__)
    assert 0.0 <= report["auc"] <= 1.0
    assert report["rows"] == len(pd.read_parquet(evaluated / "test"))
    assert sum(report["confusion"].values()) == report["rows"]
    assert sum(b["n"] for b in report["calibration"]) == report["rows"]


def test_every_carrier_and_origin_is_a_slice(evaluated: Path) -> None:
    """Few rows are flagged; where all flights were punctual there is no AUC."""
    report = json.loads((evaluated / "report" / "evaluation.json").read_text())
    assert set(report["slices"]) == {"carrier", "origin"}
    assert set(report["slices"]["carrier"]) == {"UA", "DL", "B6", "HA"}
    for slices in report["slices"].values():
        assert sum(found["n"] for found in slices.values()) == report["rows"]
    unlucky = report["slices"]["carrier"]["HA"]
    assert (unlucky["n"], unlucky["auc"], unlucky["small"]) == (3, None, True)


def test_four_pictures_are_drawn(evaluated: Path) -> None:
    """Each is a PNG that shows more than an empty page."""
    paths = sorted((evaluated / "pictures").iterdir())
    assert [path.name for path in paths] == PICTURES
    for path in paths:
        pixels = image.imread(path)
        assert min(pixels.shape[:2]) > 400
        assert len(np.unique(pixels[..., 0])) > 20


def test_batches_do_not_change_the_probabilities(evaluated: Path) -> None:
    """The last batch is smaller; every row is scored once, in order."""
    rows = pd.read_parquet(evaluated / "test")
    metadata = json.loads((evaluated / "model" / "metadata.json").read_text())
    session = onnxruntime.InferenceSession(evaluated / "model" / "model.onnx")
    few, all_at_once = (
        evaluate.predict(session, rows, metadata["features"], size) for size in (7, 10_000)
    )
    np.testing.assert_allclose(few, all_at_once, atol=1e-6)


def report_of(target: list[int], probability: list[float]) -> measures.Report:
    """Measure a few rows with no slices."""
    values = np.array(target, dtype="float64"), np.array(probability, dtype="float64")
    return measures.measure(*values, 0.5, pd.DataFrame(index=range(len(target))))


def test_a_perfect_model_is_perfect() -> None:
    """All figures take their best value."""
    report = report_of([0, 0, 1, 1], [0.0, 0.0, 1.0, 1.0])
    assert (report["auc"], report["accuracy"], report["brier"], report["ece"]) == (1, 1, 0, 0)
    assert (report["precision"], report["recall"]) == (1, 1)
    assert report["log_loss"] < 1e-9


def test_precision_is_unknown_when_nothing_is_called_late() -> None:
    """Nothing was divided by zero; recall is known and zero."""
    report = report_of([0, 1], [0.1, 0.2])
    assert report["precision"] is None
    assert report["recall"] == 0.0
    assert report["confusion"] == {
        "true_negative": 1,
        "false_positive": 0,
        "false_negative": 1,
        "true_positive": 0,
    }


def test_the_threshold_itself_counts_as_late() -> None:
    """Serving decides the same way."""
    assert report_of([0, 1], [0.1, 0.5])["confusion"]["true_positive"] == 1


def test_calibration_compares_predicted_and_observed_shares() -> None:
    """Two bins, one 0.15 too low and one 0.25 too high: an ECE of 0.2."""
    target = np.array([0, 1, 0, 1, 1, 0, 1, 0], dtype="float64")
    probability = np.array([0.35] * 4 + [0.75] * 4)
    bins = measures.calibration_bins(target, probability)
    assert [(b["start"], b["end"], b["n"], b["observed"]) for b in bins] == [
        (0.3, 0.4, 4, 0.5),
        (0.7, 0.8, 4, 0.5),
    ]
    assert measures.expected_calibration_error(bins) == pytest.approx(0.2)


def test_a_test_set_of_one_class_is_refused() -> None:
    """There is no AUC, so no gate could be passed: the step fails and says why."""
    with pytest.raises(ValueError, match="both late and punctual"):
        report_of([0, 0], [0.1, 0.2])
