"""Measured penguins → rows to train on.

Input `penguins` in SM_CHANNEL_PENGUINS, output `train` in SM_OUT_TRAIN.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

COLUMNS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex"]


def main() -> None:
    """Keep the penguins of which all is known."""
    source = Path(os.environ["SM_CHANNEL_PENGUINS"], "penguins.csv")
    with source.open(newline="", encoding="utf-8") as file:
        penguins = [[row[name] for name in COLUMNS] for row in csv.DictReader(file)]
    known = [row for row in penguins if all(row)]
    target = Path(os.environ["SM_OUT_TRAIN"], "rows.csv")
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *known])
    print(f"kept {len(known)} of {len(penguins)} rows")


if __name__ == "__main__":
    main()
