"""Files of rows → the rows of a share, whatever the format that they are in."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.backends.local.sampling.share import Share
from pipelines.backends.local.sampling.tables import sample_file
from pipelines.errors import UsageError

ROWS = 2000


def table(first: int, last: int) -> pa.Table:
    """Make rows of a number, a key and an empty value here and there."""
    numbers = range(first, last)
    keys = [None if n % 7 == 0 else f"k{n % 50}" for n in numbers]
    return pa.table({"n": list(numbers), "key": keys, "half": [n / 2 for n in numbers]})


def test_a_row_of_parquet_is_taken_for_its_content_alone(tmp_path: Path) -> None:
    """One file, or two with the rows in another order: the same rows; the schema stays."""
    pq.write_table(table(0, ROWS), tmp_path / "whole.parquet", row_group_size=300)
    pq.write_table(table(900, ROWS), tmp_path / "a.parquet")
    pq.write_table(table(0, 900), tmp_path / "b.parquet")
    found: dict[str, list[int]] = {}
    for name in ("whole", "a", "b"):
        target = tmp_path / f"{name}-sample.parquet"
        counted = sample_file(tmp_path / f"{name}.parquet", target, Share("e", 10))
        sample = pq.read_table(target)
        assert counted is not None
        assert counted.written == sample.num_rows
        assert sample.schema.equals(table(0, 1).cast(sample.schema).schema)
        found[name] = sample["n"].to_pylist()
    assert sorted(found["a"] + found["b"]) == sorted(found["whole"])
    assert 0.05 < len(found["whole"]) / ROWS < 0.15


def test_a_key_is_the_same_in_csv_and_parquet(tmp_path: Path) -> None:
    """So that tables of both kinds can be joined after they were sampled."""
    rows = table(0, ROWS)
    pq.write_table(rows, tmp_path / "t.parquet")
    lines = [f"{n};{key or ''}" for n, key in zip(rows["n"], rows["key"].to_pylist(), strict=True)]
    text = "n;key\r\n" + "\r\n".join(lines)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    share = Share("e", 30, "key")
    sample_file(tmp_path / "t.parquet", tmp_path / "out.parquet", share)
    sample_file(tmp_path / "t.csv.gz", tmp_path / "out.csv.gz", share)
    kept = gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode().split("\r\n")[1:]
    in_csv = {line.split(";")[1] for line in kept if line}
    in_parquet = {key or "" for key in pq.read_table(tmp_path / "out.parquet")["key"].to_pylist()}
    assert in_csv == in_parquet
    assert 0 < len(in_csv) < 50


def test_a_value_in_quotes_may_have_several_lines(tmp_path: Path) -> None:
    """A row is taken as it is written; 100 % is the file itself, byte for byte."""
    content = b'\xef\xbb\xbfid,text\n1,"two\nlines"\n\n2,"\xff"\r\n3,last'
    (tmp_path / "t.csv").write_bytes(content)
    counted = sample_file(tmp_path / "t.csv", tmp_path / "all.csv", Share("e", 100, "id"))
    assert counted is not None
    assert (counted.rows, counted.written) == (3, 3)
    assert (tmp_path / "all.csv").read_bytes().replace(b"\n\n", b"\n") == content.replace(
        b"\n\n", b"\n"
    )


@pytest.mark.parametrize("name", ["broken.parquet", "empty.parquet"])
def test_a_file_that_is_no_parquet_is_named(tmp_path: Path, name: str) -> None:
    """With what is wrong with it."""
    (tmp_path / name).write_bytes(b"" if "empty" in name else b"no parquet at all")
    with pytest.raises(UsageError, match="cannot be read as Parquet"):
        sample_file(tmp_path / name, tmp_path / "out.parquet", Share("e", 1))
