"""Training rows → the coefficients of a logistic regression, as `model.json`.

Channel `train` in SM_CHANNEL_TRAIN; what is put in SM_MODEL_DIR becomes model.tar.gz.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from pathlib import Path

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    """Tell male penguins from female ones."""
    parser = argparse.ArgumentParser(description="Train the model.")
    parser.add_argument("--C", type=float, default=1.0, help="the less, the more regularised")
    args = parser.parse_args()

    source = Path(os.environ["SM_CHANNEL_TRAIN"], "rows.csv")
    with source.open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    features = [[float(value) for value in row[:-1]] for row in rows]
    male = [row[-1] == "male" for row in rows]

    scaler, regression = StandardScaler(), LogisticRegression(C=args.C)
    model = make_pipeline(scaler, regression).fit(features, male)
    print(f"train accuracy={model.score(features, male):.4f}")
    described = {
        "features": names[:-1],
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "weights": regression.coef_[0].tolist(),
        "bias": regression.intercept_[0],
    }
    Path(os.environ["SM_MODEL_DIR"], "model.json").write_text(json.dumps(described, indent=1))


if __name__ == "__main__":
    main()
