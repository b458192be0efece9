"""The files of an input → one table.

This is the only module that reads data: another way of reading belongs here. Arrow reads only the
columns that are asked for and, unlike pandas then, still refuses a CSV row that is too long or
too short. What looks like a date in a CSV stays text, as pandas leaves it: suites speak of its
format. The columns of a Parquet file are those of its schema, an index that pandas wrote too.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from pipelines.programs.validate.frames import exact_frame, is_rounded
from pipelines.programs.validate.suites import nearest
from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import pandas as pd

CSV, PARQUET = "CSV", "Parquet"
_SUFFIXES = {".csv": CSV, ".csv.gz": CSV, ".parquet": PARQUET, ".pq": PARQUET}
_READ_ERRORS = (pa.ArrowException, ValueError, OSError)
_CHUNK = 1 << 20
_NAMED_COLUMNS = 12  # how many columns a message lists


@dataclass(frozen=True)
class Source:
    """The files of one table.

    Args:
        name: the name of the input.
        folder: the folder of the input.
        paths: every data file below the folder, sorted; not empty.
        format: CSV or PARQUET, the same for all.
        columns: the columns in the order of the first file; the same set in all.
    """

    name: str
    folder: Path
    paths: tuple[Path, ...]
    format: str
    columns: tuple[str, ...]

    def missing(self, column: str) -> str:
        """Return a message that there is no such column, with those that there are."""
        listed = ", ".join(self.columns[:_NAMED_COLUMNS])
        more = ", …" if len(self.columns) > _NAMED_COLUMNS else ""
        hint = nearest(column, self.columns)
        return f"the data has no column `{column}`{hint} Columns: {listed}{more}"


def find_source(name: str, folder: Path) -> Source:
    """Find the data files of an input and read their headers.

    Files whose name, or a folder on the way to them, begins with `.` or `_` are no data
    (Spark's convention).

    Raises:
        JobError: no data, CSV and Parquet mixed, an unreadable header, differing columns.
    """
    if not folder.is_dir():
        raise JobError(f"The input `{name}` is not there: no folder {folder}.")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and _is_data(path, folder))
    found = {path: kind for path in files if (kind := _format(path)) is not None}
    if not found:
        other = f" It holds only {files[0].relative_to(folder)} and the like." if files else ""
        raise JobError(f"The input `{name}` holds no CSV or Parquet file.{other}")
    if len(set(found.values())) > 1:
        shown = [min(p for p in found if found[p] == kind) for kind in (CSV, PARQUET)]
        raise JobError(
            f"The input `{name}` mixes CSV and Parquet "
            f"({' and '.join(str(p.relative_to(folder)) for p in shown)}): "
            "the files of one input are one table, so of one type."
        )
    paths, kind = tuple(found), next(iter(found.values()))
    columns = _header(paths[0], kind, folder)
    for path in paths[1:]:
        _check_same(columns, _header(path, kind, folder), (paths[0], path), folder)
    return Source(name, folder, paths, kind, columns)


def read_table(source: Source, columns: Collection[str]) -> pd.DataFrame:
    """Read all files of a table, only the columns named, as one frame numbered from 0.

    With no column named, the first one is read: it carries the number of rows. A column that
    is a number in one file and text in another is text.

    Raises:
        JobError: a file cannot be read.
    """
    chosen = [name for name in source.columns if name in columns] or list(source.columns[:1])
    if source.format == CSV:
        _refuse_bytes(source)
    parts = [_read(path, source, chosen, ()) for path in source.paths]
    digits: list[str] = []
    if source.format == CSV:
        digits = [name for name in chosen if is_rounded(name, parts)]
        as_text = [name for name in chosen if _is_text(name, parts)]
        if as_text or digits:
            parts = [_read(path, source, chosen, (*as_text, *digits)) for path in source.paths]
    try:
        table = pa.concat_tables(parts, promote_options="permissive")
    except pa.ArrowException as error:
        raise JobError(
            f"The files of the input `{source.name}` are not one table: {_first_line(error)}"
        ) from None
    del parts
    return exact_frame(_nulls_as_floats(table) if source.format == CSV else table, digits)


def _nulls_as_floats(table: pa.Table) -> pa.Table:
    """Return a table whose columns of nulls alone are floats, as pandas reads them from CSV."""
    fields = (f.with_type(pa.float64()) if pa.types.is_null(f.type) else f for f in table.schema)
    return table.cast(pa.schema(fields))


def _refuse_bytes(source: Source) -> None:
    """Raise JobError where a CSV is not UTF-8: Arrow hands such texts on as bytes."""
    for path in source.paths:
        if _not_utf8(path) is not None:
            raise _unreadable(path, CSV, source.folder, ValueError("it is not UTF-8"))


def _is_data(path: Path, folder: Path) -> bool:
    return not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)


def _format(path: Path) -> str | None:
    name = path.name.lower()
    return next((kind for suffix, kind in _SUFFIXES.items() if name.endswith(suffix)), None)


def _header(path: Path, kind: str, folder: Path) -> tuple[str, ...]:
    try:
        if kind == PARQUET:
            names = pyarrow.parquet.read_schema(path).names
        else:
            with pyarrow.csv.open_csv(path, parse_options=_csv_options()) as reader:
                names = reader.schema.names
    except _READ_ERRORS as error:
        raise _unreadable(path, kind, folder, error) from None
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        place = f"{folder.name}/{path.relative_to(folder)}"
        raise JobError(f"{place} has two columns `{twice[0]}`.")
    return tuple(names)


def _read(path: Path, source: Source, columns: list[str], as_text: Collection[str]) -> pa.Table:
    try:
        if source.format == PARQUET:
            return pyarrow.parquet.ParquetFile(path).read(columns=columns)
        convert = pyarrow.csv.ConvertOptions(
            include_columns=columns,
            strings_can_be_null=True,
            column_types=dict.fromkeys(as_text, pa.string()),
        )
        return pyarrow.csv.read_csv(path, parse_options=_csv_options(), convert_options=convert)
    except _READ_ERRORS as error:
        raise _unreadable(path, source.format, source.folder, error) from None


def _csv_options() -> pyarrow.csv.ParseOptions:
    return pyarrow.csv.ParseOptions(newlines_in_values=True)


def _is_text(name: str, parts: list[pa.Table]) -> bool:
    """Whether a CSV column is to be read again as text: a date, or text in one file only."""
    types = {part.schema.field(name).type for part in parts}
    if any(pa.types.is_temporal(found) for found in types):
        return True
    return len(types) > 1 and pa.string() in types and not types <= {pa.string(), pa.null()}


def _unreadable(path: Path, kind: str, folder: Path, error: Exception) -> JobError:
    place = f"{folder.name}/{path.relative_to(folder)}"
    foreign = _not_utf8(path) if kind == CSV else None
    if foreign is not None:
        return JobError(
            f"{place}, line {foreign[0]}: the byte 0x{foreign[1]:02X} is not UTF-8. "
            "Save the file as UTF-8; one from Windows or in Latin-1 becomes it by "
            f"`iconv -f WINDOWS-1252 -t UTF-8 {path.name}`."
        )
    return JobError(f"{place} cannot be read as {kind}: {_first_line(error)}")


def _not_utf8(path: Path) -> tuple[int, int] | None:
    """Return the first line of a text file that is not UTF-8, counted from 1, and its bad byte."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    try:
        with opened(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
                line += chunk.count(b"\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return line + error.object[: error.start].count(b"\n"), error.object[error.start]
    except (OSError, EOFError, zlib.error):
        return None
    return None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "the file ends too early"


def _check_same(
    first: tuple[str, ...], other: tuple[str, ...], paths: tuple[Path, Path], folder: Path
) -> None:
    """Raise JobError where two files of one table have different columns."""
    names = [str(path.relative_to(folder)) for path in paths]
    for absent, present, column in [
        *((names[1], names[0], column) for column in first if column not in other),
        *((names[0], names[1], column) for column in other if column not in first),
    ]:
        raise JobError(
            f"The files of the input `{folder.name}` are not one table: "
            f"{absent} has no column `{column}`, {present} has it."
        )
