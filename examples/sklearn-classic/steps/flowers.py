"""Write scikit-learn's irises as CSV: the kind of the flower, then its four measures."""

import os
from pathlib import Path

import pandas as pd
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split


def main() -> None:
    """Write four fifths for training, the rest for the test."""
    measures, kinds = load_iris(return_X_y=True)
    flowers = pd.DataFrame(measures)
    flowers.insert(0, "kind", kinds)
    train, test = train_test_split(flowers, test_size=0.2, random_state=7, stratify=kinds)
    for part, rows in (("TRAIN", train), ("TEST", test)):
        rows.to_csv(Path(os.environ[f"SM_OUT_{part}"]) / "iris.csv", header=False, index=False)


if __name__ == "__main__":
    main()
