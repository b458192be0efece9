"""Make up abalones: the age in years, then sex, length, height and weight, as CSV."""

import os
from pathlib import Path

import numpy as np

ROWS = {"TRAIN": 800, "VALIDATION": 200}


def abalones(count: int, seed: int) -> np.ndarray:
    """Return made-up abalones, a row each."""
    chance = np.random.default_rng(seed)
    age = chance.uniform(2, 20, count)
    sex = chance.integers(0, 3, count)
    length = 0.8 * (1 - np.exp(-age / 6)) + chance.normal(0, 0.01, count)
    height = 0.3 * length + 0.01 * sex + chance.normal(0, 0.005, count)
    weight = 2.5 * length**3 + 0.02 * age + chance.normal(0, 0.02, count)
    return np.column_stack([age, sex, length, height, weight])


def main() -> None:
    """Write both channels."""
    for seed, (part, count) in enumerate(ROWS.items()):
        folder = Path(os.environ[f"SM_OUT_{part}"])
        np.savetxt(folder / "abalone.csv", abalones(count, seed), delimiter=",", fmt="%.4f")


if __name__ == "__main__":
    main()
