"""A decision tree for irises, as scripts for SageMaker's scikit-learn estimator are written.

Nothing in it knows of `pipelines`: argparse takes the hyperparameters, SM_* variables name the
folders, and the model server calls `model_fn`.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import joblib
import pandas as pd
from sklearn.tree import DecisionTreeClassifier


def model_fn(model_dir: str) -> DecisionTreeClassifier:
    """Load the model; called by the model server."""
    return joblib.load(Path(model_dir) / "model.joblib")


def read(folder: str) -> tuple[pd.DataFrame, pd.Series]:
    """Read the CSV files of a channel: the label, then the features."""
    files = [pd.read_csv(file, header=None) for file in sorted(Path(folder).glob("*.csv"))]
    if not files:
        raise ValueError(f"there is no CSV file in {folder}")
    rows = pd.concat(files)
    return rows.iloc[:, 1:], rows.iloc[:, 0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--max-leaf-nodes", type=int, default=30)
    parser.add_argument("--output-data-dir", default=os.environ.get("SM_OUTPUT_DATA_DIR"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--test", default=os.environ.get("SM_CHANNEL_TEST"))
    args = parser.parse_args()

    features, labels = read(args.train)
    classifier = DecisionTreeClassifier(max_leaf_nodes=args.max_leaf_nodes, random_state=7)
    classifier.fit(features.to_numpy(), labels.to_numpy())

    features, labels = read(args.test)
    print(f"accuracy={classifier.score(features.to_numpy(), labels.to_numpy()):.4f}")
    joblib.dump(classifier, Path(args.model_dir) / "model.joblib")
