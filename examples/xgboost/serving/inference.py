"""What the XGBoost image calls: its default `input_fn` makes a DMatrix of CSV, ours predicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xgboost as xgb


def model_fn(model_dir: str) -> xgb.Booster:
    """Load the booster."""
    booster = xgb.Booster()
    booster.load_model(Path(model_dir) / "xgboost-model.json")
    return booster


def predict_fn(data: xgb.DMatrix, model: xgb.Booster) -> np.ndarray:
    """Return ages in years, with one digit behind the point."""
    return np.round(model.predict(data).astype(float), 1)
