"""One file of rows → the file of those that a share holds; CSV as text, Parquet by pyarrow."""

from __future__ import annotations

import csv
import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from pipelines.backends.local.sampling.share import Share
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.frozen import frozen

_MARK = "\ufeff"  # what Excel writes before UTF-8
_DELIMITERS = ",;\t|"
_ENCODING = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}


@frozen
class Counted:
    """How many rows a file has, and how many of them were written."""

    rows: int
    written: int


def sample_file(source: Path, target: Path, share: Share) -> Counted | None:
    """Write the rows of a file that a share holds; None where it is no file of rows.

    Raises:
        UsageError: it cannot be read, or lacks the column.
    """
    name = source.name.lower()
    write = next((write for end, write in _WRITERS.items() if name.endswith(end)), None)
    if write is None:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    return write(source, target, share)


def is_table(source: Path) -> bool:
    """Return whether a file is one of rows, by its name."""
    return source.name.lower().endswith(tuple(_WRITERS))


def require_column(source: Path, share: Share) -> None:
    """Refuse a column that a CSV file does not name; other files are not opened.

    Raises:
        UsageError: its first line has no such column.
    """
    if share.column is None or not source.name.lower().endswith(_TEXTS):
        return
    with source.open("r", **_ENCODING) as read:  # type: ignore[call-overload]
        first = read.readline().removeprefix(_MARK)
        if not first:
            return
        names, _ = next(_rows(chain([first], read), max(_DELIMITERS, key=first.count)), ([], ""))
    _index(share.column, names, source)


def _csv(source: Path, target: Path, share: Share) -> Counted:
    with (
        source.open("r", **_ENCODING) as read,  # type: ignore[call-overload]
        target.open("w", **_ENCODING) as written,  # type: ignore[call-overload]
    ):
        return _copy_rows(read, written, share, source)


def _csv_gz(source: Path, target: Path, share: Share) -> Counted:
    """As CSV; the time in the file is fixed, so that its bytes are."""
    import io  # noqa: PLC0415 - seldom needed

    try:
        with (
            gzip.open(source, "rt", **_ENCODING) as read,  # type: ignore[call-overload]
            target.open("wb") as raw,
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, **_ENCODING) as written,  # type: ignore[arg-type]
        ):
            return _copy_rows(read, written, share, source)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{source} cannot be read as gzip: {error}") from error


def _copy_rows(read: TextIO, written: TextIO, share: Share, source: Path) -> Counted:
    """Copy the header and the rows of the sample, as they are written; an empty file has none."""
    first = read.readline()
    if not first:
        return Counted(0, 0)
    mark = _MARK if first.startswith(_MARK) else ""
    lines = chain([first.removeprefix(_MARK)], read)
    read_rows = _rows(lines, max(_DELIMITERS, key=first.count))
    rows = kept = 0
    try:
        names, header = next(read_rows, ([], ""))
        column = None if share.column is None else _index(share.column, names, source)
        written.write(mark + header)
        for values, text in read_rows:
            rows += 1
            key = text.rstrip("\r\n") if column is None else _at(values, column)
            if share.holds(key.encode("utf-8", "surrogateescape")):
                kept += 1
                written.write(text)
    except csv.Error as error:
        raise UsageError(f"{source} cannot be read as CSV: {error}") from error
    return Counted(rows, kept)


def _rows(read: Iterable[str], delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Yield each row with its text; a value in quotes may have several lines, and any length."""
    csv.field_size_limit(sys.maxsize)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in read:
            taken.append(line)
            yield line

    for values in csv.reader(lines(), delimiter=delimiter):
        text = "".join(taken)
        taken.clear()
        if values:
            yield values, text


def _at(values: list[str], column: int) -> str:
    return values[column] if column < len(values) else ""


def _parquet(source: Path, target: Path, share: Share) -> Counted:
    try:
        import pyarrow as pa  # noqa: PLC0415 - only for Parquet
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above
    except ImportError as error:
        raise UsageError(
            f"{source} is Parquet: pyarrow is needed", "pip install pyarrow"
        ) from error
    rows = kept = 0
    try:
        with pq.ParquetFile(source) as file:
            names, column = file.schema_arrow.names, share.column
            place = None if column is None else _index(column, names, source)
            with pq.ParquetWriter(target, file.schema_arrow) as writer:
                for batch in file.iter_batches():
                    mask = [share.holds(key) for key in _keys(batch, place)]
                    rows, kept = rows + len(mask), kept + sum(mask)
                    writer.write_batch(batch.filter(pa.array(mask, pa.bool_())))
    except pa.ArrowException as error:
        raise UsageError(f"{source} cannot be read as Parquet: {error}") from error
    return Counted(rows, kept)


def _keys(batch: Any, column: int | None) -> Iterator[bytes]:
    """Yield the text that decides on each row: the text of a key is that of a CSV file."""
    if column is not None:
        for value in batch.column(column).to_pylist():
            yield value if isinstance(value, bytes) else _text(value).encode()
        return
    for row in batch.to_pylist():
        yield json.dumps(row, default=str, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _index(column: str, names: list[str], source: Path) -> int:
    if column in names:
        return names.index(column)
    close = nearest(column, names)
    raise UsageError(
        f"{source} has no column `{column}`",
        f"did you mean `{close}`?" if close else f"its columns are {', '.join(names)}",
    )


_TEXTS = (".csv", ".tsv")
_WRITERS: Mapping[str, Callable[[Path, Path, Share], Counted]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".csv.gz": _csv_gz,
    ".parquet": _parquet,
    ".pq": _parquet,
}
