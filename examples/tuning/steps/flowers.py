"""Make up three kinds of flowers by the sizes of their leaves, with noise: the label first."""

import os
from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification


def main() -> None:
    """Write two thirds for the trials, the rest for the test."""
    x, y = make_classification(
        n_samples=900,
        n_features=8,
        n_informative=5,
        n_classes=3,
        class_sep=0.9,
        flip_y=0.05,
        random_state=7,
    )
    rows = np.column_stack([y, x])
    for part, some in (("train", rows[:600]), ("test", rows[600:])):
        file = Path(os.environ[f"SM_OUT_{part.upper()}"]) / f"{part}.csv"
        np.savetxt(file, some, delimiter=",", fmt=["%d", *["%.4f"] * 8])


if __name__ == "__main__":
    main()
