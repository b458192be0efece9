"""An Arrow table → a pandas frame that rounds nothing.

Whole numbers stay exact, also beside nulls and beyond 64 bits, where pandas makes floats of them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

_EXACT = 2**53  # up to here a float holds every whole number
_DOUBLE_DIGITS = 15  # so many decimal digits survive the way through a float


def exact_frame(table: pa.Table, digits: Collection[str]) -> pd.DataFrame:
    """Make a pandas frame; what pandas would round is set apart and put in exactly.

    Args:
        table: what was read.
        digits: the columns of numbers that were read as text.
    """
    import pandas as pd  # noqa: PLC0415 - seconds, once there is a table

    columns = {name: table.column(name) for name in table.column_names}
    found = {
        name: _digits(column) if name in digits else _exact_column(column)
        for name, column in columns.items()
    }
    exact = {name: column for name, column in found.items() if column is not None}
    del columns, found
    order = table.column_names
    rest = table.drop_columns(list(exact))
    rows = len(table)
    del table
    frame: pd.DataFrame = rest.to_pandas(
        ignore_metadata=True, self_destruct=True, split_blocks=True
    )
    frame.index = pd.RangeIndex(rows)
    return frame.assign(**exact)[order] if exact else frame


def _exact_column(column: pa.ChunkedArray) -> pd.Series[Any] | None:
    """Return a column that `to_pandas` would change; None where it does right."""
    if pa.types.is_decimal(column.type):
        return _floats(column) if column.type.precision <= _DOUBLE_DIGITS else _decimals(column)
    if pa.types.is_integer(column.type) and column.null_count and _greatest(column) >= _EXACT:
        return _whole_numbers(column.to_pylist())
    return None


def _digits(column: pa.ChunkedArray) -> pd.Series[Any]:
    """Return the numbers of a column that was read as text: whole ones exactly."""
    whole = pyarrow.compute.match_substring_regex(column, r"^\s*[+-]?\d+\s*$")
    if pyarrow.compute.all(whole, skip_nulls=True).as_py() is False:
        return _floats(column)
    return _whole_numbers([None if v is None else int(v) for v in column.to_pylist()])


def _floats(column: pa.ChunkedArray) -> pd.Series[Any]:
    series: pd.Series[Any] = column.cast(pa.float64()).to_pandas()
    return series


def _decimals(column: pa.ChunkedArray) -> pd.Series[Any]:
    """Return decimals as Python's; a null is NaN, which can be a float too, as None cannot."""
    import pandas as pd  # noqa: PLC0415 - seconds, once there is a table

    null = Decimal("NaN")
    return pd.Series([null if v is None else v for v in column.to_pylist()], dtype=object)


def _whole_numbers(values: list[int | None]) -> pd.Series[Any]:
    """Return whole numbers in the smallest pandas type that holds them all exactly."""
    import pandas as pd  # noqa: PLC0415 - seconds, once there is a table

    known = [value for value in values if value is not None]
    low, high = min(known, default=0), max(known, default=0)
    if low >= -(2**63) and high < 2**63:
        return pd.Series(pd.array(values, dtype="Int64"))
    if low >= 0 and high < 2**64:
        return pd.Series(pd.array(values, dtype="UInt64"))
    return pd.Series(values, dtype=object)


def is_rounded(name: str, parts: list[pa.Table]) -> bool:
    """Whether Arrow took whole numbers of a CSV for floats because they are too large for it."""
    columns = [part.column(name) for part in parts]
    if not any(pa.types.is_floating(c.type) and _greatest(c) >= _EXACT for c in columns):
        return False
    return all(pa.types.is_integer(c.type) or _holds_whole_numbers(c) for c in columns)


def _holds_whole_numbers(column: pa.ChunkedArray) -> bool:
    if pa.types.is_null(column.type):
        return True
    if not pa.types.is_floating(column.type):
        return False
    whole = pyarrow.compute.equal(pyarrow.compute.floor(column), column)
    return bool(pyarrow.compute.all(whole, skip_nulls=True).as_py() is not False)


def _greatest(column: pa.ChunkedArray) -> float:
    bounds = pyarrow.compute.min_max(column).as_py()
    return max(abs(float(bounds["min"] or 0)), abs(float(bounds["max"] or 0)))
