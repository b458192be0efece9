"""Files of rows → the rows of a share, whatever the format that they are in."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.backends.local.sampling.share import Share
from pipelines.backends.local.sampling.tables import Counted, sample_file
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


def test_a_header_may_have_several_lines(tmp_path: Path) -> None:
    """Its names are read as the rows are; it stays whole."""
    (tmp_path / "t.csv").write_bytes(b'\xef\xbb\xbf"first\nid",key\n1,a\n2,b\n')
    counted = sample_file(tmp_path / "t.csv", tmp_path / "out.csv", Share("e", 100, "first\nid"))
    assert counted == Counted(2, 2)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()


def test_a_value_may_have_any_length(tmp_path: Path) -> None:
    """Python's csv refuses more than 131072 characters by itself."""
    (tmp_path / "t.csv").write_text(f"id,text\n1,{'x' * 200_000}\n", "utf-8")
    counted = sample_file(tmp_path / "t.csv", tmp_path / "out.csv", Share("e", 100, "id"))
    assert counted == Counted(1, 1)


def test_an_empty_file_has_no_rows_and_lacks_no_column(tmp_path: Path) -> None:
    """Jobs that write parts leave such files."""
    (tmp_path / "part.csv").touch()
    counted = sample_file(tmp_path / "part.csv", tmp_path / "out.csv", Share("e", 1, "id"))
    assert counted == Counted(0, 0)
    assert (tmp_path / "out.csv").read_bytes() == b""


@pytest.mark.parametrize(
    "content",
    [b"id\n1\n", gzip.compress(b"id\n1\n" * 100)[:-9], gzip.compress(b"id")[:12] + b"\xff" * 20],
    ids=["no-gzip", "cut-off", "damaged"],
)
def test_a_file_that_is_no_gzip_is_named(tmp_path: Path, content: bytes) -> None:
    """However it is damaged."""
    (tmp_path / "t.csv.gz").write_bytes(content)
    with pytest.raises(UsageError, match=r"t\.csv\.gz cannot be read as gzip"):
        sample_file(tmp_path / "t.csv.gz", tmp_path / "out.csv.gz", Share("e", 1))


def test_a_key_of_bytes_is_that_of_its_text(tmp_path: Path) -> None:
    """Older writers of Parquet mark no text as such; two columns may have one name."""
    keys = [f"k{n}" for n in range(200)]
    for kind in (pa.string(), pa.binary()):
        column = pa.array(keys, pa.string()).cast(kind)
        rows = pa.Table.from_arrays([column, column], names=["key", "key"])
        pq.write_table(rows, tmp_path / f"{kind}.parquet")
        sample_file(
            tmp_path / f"{kind}.parquet", tmp_path / f"{kind}.out.parquet", Share("e", 30, "key")
        )
    text, binary = (
        pq.ParquetFile(tmp_path / f"{kind}.out.parquet")
        .read()
        .column(0)
        .cast(pa.string())
        .to_pylist()
        for kind in (pa.string(), pa.binary())
    )
    assert text == binary
    assert 0 < len(text) < 200


def test_two_shares_are_never_written_alike() -> None:
    """The text of a share is part of the place where its sample is kept."""
    assert str(Share("e", 33.33333)) != str(Share("e", 33.33334))
    assert [str(Share("e", percent)) for percent in (1.0, 0.1, 12.5)] == [
        "e=1%",
        "e=0.1%",
        "e=12.5%",
    ]
