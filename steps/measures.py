"""Targets and probabilities → the figures of an evaluation report."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix, log_loss, roc_auc_score

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

BINS = 10
SMALL_SLICE_ROWS = 500


class Bin(TypedDict):
    """Rows with a probability in [from, to): mean prediction and observed share of late ones."""

    start: float
    end: float
    n: int
    predicted: float
    observed: float


class Slice(TypedDict):
    """The rows of one category; `auc` is None where all had the same outcome."""

    n: int
    auc: float | None
    base_rate: float
    predicted: float
    small: bool


class Confusion(TypedDict):
    """Rows by what happened and what was predicted at the threshold."""

    true_negative: int
    false_positive: int
    false_negative: int
    true_positive: int


class Report(TypedDict):
    """What `evaluation.json` holds; all figures over the test set.

    `brier` is the mean squared error of the probability, `ece` the mean gap between predicted and
    observed share over the calibration bins weighted by rows, `log_loss` in nats.
    """

    rows: int
    base_rate: float
    auc: float
    log_loss: float
    brier: float
    ece: float
    threshold: float
    accuracy: float
    precision: float | None
    recall: float | None
    confusion: Confusion
    calibration: list[Bin]
    slices: dict[str, dict[str, Slice]]


def area_under_curve(target: Floats, probability: Floats) -> float | None:
    """Give the AUC; None when only one class is there."""
    if len(np.unique(target)) == 1:
        return None
    return float(roc_auc_score(target, probability))


def calibration_bins(target: Floats, probability: Floats) -> list[Bin]:
    """Compare predicted and observed shares in ten bins of equal width; empty ones are left out."""
    edges = np.linspace(0.0, 1.0, BINS + 1)
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    return [
        {
            "start": round(float(edges[i]), 6),
            "end": round(float(edges[i + 1]), 6),
            "n": int((place == i).sum()),
            "predicted": float(probability[place == i].mean()),
            "observed": float(target[place == i].mean()),
        }
        for i in np.unique(place)
    ]


def expected_calibration_error(bins: list[Bin]) -> float:
    """Weigh each bin's gap between predicted and observed share by its rows."""
    rows = sum(b["n"] for b in bins)
    return sum(b["n"] * abs(b["predicted"] - b["observed"]) for b in bins) / rows


def confusion_at(target: Floats, probability: Floats, threshold: float) -> Confusion:
    """Count outcomes against predictions; from the threshold on a flight counts as late."""
    table = confusion_matrix(target > 0, probability >= threshold, labels=[False, True])
    (tn, fp), (fn, tp) = table.tolist()
    return {
        "true_negative": tn,
        "false_positive": fp,
        "false_negative": fn,
        "true_positive": tp,
    }


def slices_by(category: pd.Series[str], target: Floats, probability: Floats) -> dict[str, Slice]:
    """Measure every category alone; those below 500 rows are flagged as small."""
    found: dict[str, Slice] = {}
    for name in sorted(category.unique()):
        rows = (category == name).to_numpy()
        found[str(name)] = {
            "n": int(rows.sum()),
            "auc": area_under_curve(target[rows], probability[rows]),
            "base_rate": float(target[rows].mean()),
            "predicted": float(probability[rows].mean()),
            "small": bool(rows.sum() < SMALL_SLICE_ROWS),
        }
    return found


def share(part: int, whole: int) -> float | None:
    """Divide; None when there is nothing to divide by."""
    return part / whole if whole else None


def measure(
    target: Floats, probability: Floats, threshold: float, categories: pd.DataFrame
) -> Report:
    """Build the report.

    Args:
        target: 0 or 1, [n].
        probability: of being late, [n].
        threshold: from which probability on a flight counts as late.
        categories: one column per way to slice the rows, [n, ways].

    Raises:
        ValueError: the rows are all late or all punctual, so there is no AUC.
    """
    auc = area_under_curve(target, probability)
    if auc is None:
        raise ValueError("the test set needs both late and punctual flights")
    bins = calibration_bins(target, probability)
    counts = confusion_at(target, probability, threshold)
    hits = counts["true_positive"]
    return {
        "rows": len(target),
        "base_rate": float(target.mean()),
        "auc": auc,
        "log_loss": float(log_loss(target, probability, labels=[0, 1])),
        "brier": float(np.mean((probability - target) ** 2)),
        "ece": expected_calibration_error(bins),
        "threshold": threshold,
        "accuracy": (hits + counts["true_negative"]) / len(target),
        "precision": share(hits, hits + counts["false_positive"]),
        "recall": share(hits, hits + counts["false_negative"]),
        "confusion": counts,
        "calibration": bins,
        "slices": {str(way): slices_by(categories[way], target, probability) for way in categories},
    }
