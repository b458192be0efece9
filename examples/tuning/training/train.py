"""One trial: gradient boosting with the hyperparameters that the tuning job chose."""

import argparse
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import cross_val_score


def main() -> None:
    """Print the objective as `metric_definitions` finds it, and keep the model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--features", choices=["sqrt", "log2", "all"], default="all")
    given = parser.parse_args()
    rows = np.loadtxt(Path(os.environ["SM_CHANNEL_TRAIN"]) / "train.csv", delimiter=",")
    model = GradientBoostingClassifier(
        n_estimators=given.rounds,
        learning_rate=given.learning_rate,
        max_depth=given.depth,
        max_features=None if given.features == "all" else given.features,
        random_state=1,
    )
    scores = cross_val_score(model, rows[:, 1:], rows[:, 0], cv=3)
    print(f"validation accuracy={scores.mean():.4f}")
    model.fit(rows[:, 1:], rows[:, 0])
    joblib.dump(model, Path(os.environ["SM_MODEL_DIR"]) / "model.joblib")


if __name__ == "__main__":
    main()
