"""Labels and scores of a validation set → loss and AUC."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float32]


def area_under_curve(target: FloatArray, scores: FloatArray) -> float:
    """Give the chance that a late flight scores above a punctual one; ties count half.

    Raises:
        ValueError: only one of the two classes is there.
    """
    late = target > 0
    positives, negatives = int(late.sum()), int((~late).sum())
    if positives == 0 or negatives == 0:
        raise ValueError("AUC needs late and punctual flights in the validation set")
    ranks = pd.Series(scores).rank().to_numpy(dtype="float64")
    above = ranks[late].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def log_loss(target: FloatArray, logits: FloatArray) -> float:
    """Give the mean negative log likelihood, in nats."""
    wide = logits.astype("float64")
    return float(np.mean(np.logaddexp(0.0, wide) - target * wide))
