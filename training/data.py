"""Parquet files and `encoders.json` → the tensors of one rank.

The rows of a channel are the rows of its files, in the files' order. Rank r of w takes a
contiguous range of them and opens only the row groups that the range touches, so the ranks'
parts are disjoint, cover everything and differ by one row at most.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class NumberEncoder(TypedDict):
    """Statistics of one number in train."""

    median: float
    mean: float
    std: float


class Encoders(TypedDict):
    """What `encoders.json` holds; category i of a list has code i + 1, all others code 0."""

    target: str
    strings: dict[str, list[str]]
    numbers: dict[str, NumberEncoder]


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded rows.

    Args:
        codes: int64 [n, strings], columns in the encoders' order.
        numbers: float32 [n, numbers], raw values, NaN where missing.
        target: float32 [n], 0 or 1.
    """

    codes: torch.Tensor
    numbers: torch.Tensor
    target: torch.Tensor

    def __len__(self) -> int:
        return len(self.target)


def read_encoders(folder: Path) -> Encoders:
    """Read `encoders.json` of the channel."""
    encoders: Encoders = json.loads((folder / "encoders.json").read_text())
    return encoders


def parquet_files(folder: Path) -> list[Path]:
    """List a channel's files in a fixed order.

    Raises:
        FileNotFoundError: there is none.
    """
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        raise FileNotFoundError(f"no *.parquet file in {folder}")
    return files


def count_rows(folder: Path) -> int:
    """Count a channel's rows by the files' footers."""
    return sum(pq.read_metadata(path).num_rows for path in parquet_files(folder))


def rank_range(total: int, rank: int, world_size: int) -> range:
    """Give rank its rows of `total`; the ranges of all ranks differ by one row at most."""
    return range(total * rank // world_size, total * (rank + 1) // world_size)


def read_range(folder: Path, wanted: range) -> pd.DataFrame:
    """Read the rows `wanted` of a channel, opening only the row groups that hold them."""
    tables = list(_row_groups(folder, wanted))
    if not tables:
        schema = pq.read_schema(parquet_files(folder)[0])
        tables = [schema.empty_table()]
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame


def _row_groups(folder: Path, wanted: range) -> Iterator[pa.Table]:
    first = 0
    for path in parquet_files(folder):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                size = file.metadata.row_group(group).num_rows
                start = max(wanted.start, first)
                stop = min(wanted.stop, first + size)
                if start < stop:
                    yield file.read_row_group(group).slice(start - first, stop - start)
                first += size


def encode(frame: pd.DataFrame, encoders: Encoders) -> Rows:
    """Turn raw columns into codes and numbers."""
    codes = [
        pd.Index(known, dtype="str").get_indexer_for(pd.Index(frame[name])).astype("int64") + 1
        for name, known in encoders["strings"].items()
    ]
    numbers = frame[list(encoders["numbers"])].to_numpy(dtype="float32", na_value=np.nan)
    target = frame[encoders["target"]].to_numpy(dtype="float32")
    return Rows(
        codes=torch.from_numpy(np.stack(codes, axis=1)),
        numbers=torch.from_numpy(numbers.copy()),
        target=torch.from_numpy(target.copy()),
    )


def read_rank(folder: Path, encoders: Encoders, rank: int, world_size: int) -> Rows:
    """Read and encode a rank's part of a channel."""
    wanted = rank_range(count_rows(folder), rank, world_size)
    return encode(read_range(folder, wanted), encoders)


def steps_per_epoch(total: int, batch_size: int, world_size: int) -> int:
    """Count the optimiser steps of an epoch, the same on every rank.

    Args:
        total: rows of all ranks.
        batch_size: rows of all ranks in one step.
        world_size: number of ranks.

    Raises:
        ValueError: some rank would have no row at all.
    """
    smallest = total // world_size
    if smallest == 0:
        raise ValueError(f"{world_size} processes cannot share {total} training rows")
    return min(smallest, -(-total // batch_size))


def batches(rows: int, steps: int, rng: np.random.Generator) -> list[npt.NDArray[np.int64]]:
    """Deal a rank's rows into exactly `steps` batches in random order.

    Their sizes differ by one row at most and none is empty, so ranks with unequal parts still
    make equally many steps and none waits for ever.
    """
    return np.array_split(rng.permutation(rows), steps)


def fingerprint(folder: Path, encoders: Encoders, hyperparameters: Mapping[str, object]) -> str:
    """Identify what a model is trained on and with.

    The files count by name, size and footer (schema, column statistics), not by their bytes.
    """
    files = [
        (str(path.relative_to(folder)), path.stat().st_size, pq.read_metadata(path).to_dict())
        for path in parquet_files(folder)
    ]
    text = json.dumps([files, encoders, dict(hyperparameters)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
