"""An expectation's JSON arguments → values of the columns' own types, so that they can be compared.

JSON has no dates and no decimals: a suite writes `"2024-01-01"` and `0.1`. A column of timestamps
is compared with a timestamp, one of decimals with a decimal. Text columns stay as they are, so a
CSV's dates are compared as the text that the file holds.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.programs.validate.suites import COLUMN_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.programs.validate.suites import Expectation

_BOUNDS = ("min_value", "max_value")
_PAIRS = "value_pairs_set"
_SET = "value_set"
_QUANTILES, _RANGES = "quantile_ranges", "value_ranges"


def comparable(expectation: Expectation, frame: pd.DataFrame) -> dict[str, Any]:
    """Return the arguments of an expectation as values that its columns can be compared with.

    A value that is no date (or no number) stays as it is: Great Expectations then says what it
    cannot compare.
    """
    kwargs: dict[str, Any] = dict(expectation.kwargs)
    columns = [str(kwargs[key]) for key in COLUMN_KEYS if key in kwargs]
    converters = [_converter(frame[name]) for name in columns if name in frame]
    if len(converters) == 1:
        _convert_members(kwargs, converters[0])
    elif len(converters) == 2 and isinstance(kwargs.get(_PAIRS), list):
        kwargs[_PAIRS] = [_pair(pair, converters) for pair in kwargs[_PAIRS]]
    return kwargs


def kind_of(column: pd.Series[Any]) -> str:
    """Return what a column holds, in words: `text`, `numbers`, `dates`, …."""
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    return _KINDS.get(inferred, inferred.replace("-", " "))


_KINDS = {
    "string": "text",
    "integer": "whole numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
    "decimal": "decimals",
    "boolean": "true and false",
    "datetime64": "timestamps",
    "datetime": "timestamps",
    "date": "dates",
    "timedelta64": "durations",
    "bytes": "bytes",
    "categorical": "categories",
    "empty": "no values",
}


def _convert_members(kwargs: dict[str, Any], convert: Callable[[Any], Any]) -> None:
    for key in _BOUNDS:
        if key in kwargs:
            kwargs[key] = convert(kwargs[key])
    if isinstance(kwargs.get(_SET), list):
        kwargs[_SET] = [convert(value) for value in kwargs[_SET]]
    ranges = kwargs.get(_QUANTILES)
    if isinstance(ranges, dict) and isinstance(ranges.get(_RANGES), list):
        kwargs[_QUANTILES] = {
            **ranges,
            _RANGES: [_range(pair, convert) for pair in ranges[_RANGES]],
        }


def _range(pair: Any, convert: Callable[[Any], Any]) -> Any:
    return [convert(value) for value in pair] if isinstance(pair, list) else pair


def _pair(pair: Any, converters: list[Callable[[Any], Any]]) -> Any:
    if not isinstance(pair, list) or len(pair) != len(converters):
        return pair
    return [convert(value) for convert, value in zip(converters, pair, strict=True)]


def _converter(column: pd.Series[Any]) -> Callable[[Any], Any]:
    dtype = column.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return lambda value: _timestamp(value, dtype.tz)
    if pd.api.types.is_datetime64_dtype(dtype):
        return lambda value: _timestamp(value, None)
    if not pd.api.types.is_object_dtype(dtype):
        return _same
    return _BY_OBJECT.get(pd.api.types.infer_dtype(column, skipna=True), _same)


def _same(value: Any) -> Any:
    return value


def _timestamp(value: Any, zone: dt.tzinfo | None) -> Any:
    """Read a date or time; one without a zone is in UTC where the column has one."""
    if not isinstance(value, str):
        return value
    try:
        read = pd.Timestamp(value)
    except ValueError:
        return value
    if zone is None:
        return read if read.tz is None else read.tz_convert("UTC").tz_localize(None)
    return (
        read.tz_convert(zone) if read.tz is not None else read.tz_localize("UTC").tz_convert(zone)
    )


def _date(value: Any) -> Any:
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _decimal(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else value


_BY_OBJECT: Mapping[str, Callable[[Any], Any]] = {"date": _date, "decimal": _decimal}
