"""Measured penguins → rows to train on and rows to test on.

Input `penguins` (CSV) in SM_CHANNEL_PENGUINS. Outputs `train` and `test` get rows.csv: the
features and the target `male`, 0 or 1. Which penguin goes where depends on the seed alone.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

FEATURES = ["species", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


def prepare(penguins: pd.DataFrame) -> pd.DataFrame:
    """Keep the features and the target, of the penguins of which all is known."""
    known = penguins.dropna(subset=[*FEATURES, "sex"])
    return known[FEATURES].assign(male=(known["sex"] == "male").astype(int))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(description="Split the penguins.")
    parser.add_argument("--test_share", type=float, default=0.25, help="between 0 and 1")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args(argv)

    files = sorted(Path(os.environ["SM_CHANNEL_PENGUINS"]).glob("*.csv"))
    rows = prepare(pd.concat([pd.read_csv(file) for file in files]))
    rows = rows.sample(frac=1, random_state=args.seed)
    tested = round(len(rows) * args.test_share)
    rows[:tested].to_csv(Path(os.environ["SM_OUT_TEST"], "rows.csv"), index=False)
    rows[tested:].to_csv(Path(os.environ["SM_OUT_TRAIN"], "rows.csv"), index=False)
    print(f"{len(rows) - tested} rows to train on, {tested} to test on")


if __name__ == "__main__":
    main()
