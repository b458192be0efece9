"""Train one model and print its error: a script as AWS's scikit-learn examples have them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split


def regressor(name: str, depth: int, seed: int) -> RegressorMixin:
    """Return an untrained model."""
    if name == "linear":
        return LinearRegression()
    if name == "forest":
        return RandomForestRegressor(n_estimators=20, max_depth=depth, random_state=seed)
    raise SystemExit(f"there is no model `{name}`: choose linear or forest")


def main() -> None:
    """Train on three quarters of the rows, judge on the rest."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="linear")
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    file = next(Path(os.environ["SM_CHANNEL_TRAIN"]).glob("*.csv"))
    rows = np.loadtxt(file, delimiter=",", skiprows=1)
    train, test = train_test_split(rows, random_state=options.seed)
    model = regressor(options.model, options.depth, options.seed)
    model.fit(train[:, :-1], train[:, -1])
    error = mean_absolute_error(test[:, -1], model.predict(test[:, :-1]))
    print(f"error={error:.3f}", flush=True)
    joblib.dump(model, Path(os.environ["SM_MODEL_DIR"]) / "model.joblib")


if __name__ == "__main__":
    main()
