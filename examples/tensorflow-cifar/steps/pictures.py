"""Makes pictures in CIFAR-10's binary format: the class, then 32 x 32 red, green and blue."""

import os
from pathlib import Path

import numpy as np

CLASSES, SIZE = 10, 32


def pictures(count: int, seed: int) -> bytes:
    """Draw stripes, whose direction and colour tell the class, with noise over them."""
    random = np.random.default_rng(seed)
    labels = random.integers(CLASSES, size=count)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    records = []
    for label in labels:
        angle = np.pi * (label % 5) / 5
        along = rows * np.sin(angle) + columns * np.cos(angle)
        stripes = np.sin(along / 2 + random.uniform(0, 2 * np.pi))
        colour = np.array([1.0, 0.4, 0.2]) if label < CLASSES // 2 else np.array([0.2, 0.4, 1.0])
        picture = 128 + 70 * colour[:, None, None] * stripes + random.normal(0, 40, (3, SIZE, SIZE))
        records.append(bytes([label]) + np.clip(picture, 0, 255).astype(np.uint8).tobytes())
    return b"".join(records)


def main() -> None:
    """Write two batches to learn from and one to test with, named as CIFAR-10's are."""
    train, test = Path(os.environ["SM_OUT_TRAIN"]), Path(os.environ["SM_OUT_TEST"])
    for number in (1, 2):
        (train / f"data_batch_{number}.bin").write_bytes(pictures(640, seed=number))
    (test / "test_batch.bin").write_bytes(pictures(200, seed=3))


if __name__ == "__main__":
    main()
