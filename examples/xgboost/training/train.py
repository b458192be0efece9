"""Boosted trees in script mode, as scripts for SageMaker's XGBoost estimator are written."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import xgboost as xgb


def read(folder: str) -> xgb.DMatrix:
    """Read the CSV files of a channel: the label, then the features."""
    rows = np.vstack([np.loadtxt(file, delimiter=",") for file in Path(folder).glob("*.csv")])
    return xgb.DMatrix(rows[:, 1:], label=rows[:, 0])


def main() -> None:
    """Train, print the error of each round, and keep the booster."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_depth", type=int, default=6)
    parser.add_argument("--eta", type=float, default=0.3)
    parser.add_argument("--num_round", type=int, default=50)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--validation", default=os.environ.get("SM_CHANNEL_VALIDATION"))
    parser.add_argument("--model_dir", default=os.environ.get("SM_MODEL_DIR"))
    args = parser.parse_args()
    train, validation = read(args.train), read(args.validation)
    booster = xgb.train(
        {"objective": "reg:squarederror", "max_depth": args.max_depth, "eta": args.eta, "seed": 7},
        train,
        num_boost_round=args.num_round,
        evals=[(train, "train"), (validation, "validation")],
    )
    booster.save_model(Path(args.model_dir) / "xgboost-model.json")


if __name__ == "__main__":
    main()
