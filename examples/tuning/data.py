"""Makes the data: three kinds of flowers, by the sizes of their leaves, with noise."""

from pathlib import Path

from sklearn.datasets import make_classification

FEATURES = 8


def main() -> None:
    """Write train.csv and test.csv, the label in the first column."""
    x, y = make_classification(
        n_samples=900,
        n_features=FEATURES,
        n_informative=5,
        n_classes=3,
        class_sep=0.9,
        flip_y=0.05,
        random_state=7,
    )
    folder = Path(__file__).parent / "data"
    for part, rows in (("train", slice(0, 600)), ("test", slice(600, 900))):
        lines = [
            ",".join([str(label), *(f"{value:.4f}" for value in row)])
            for row, label in zip(x[rows], y[rows], strict=True)
        ]
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / f"{part}.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
