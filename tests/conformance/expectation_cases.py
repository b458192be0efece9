"""Every expectation type of Great Expectations, with arguments that are met and ones that are not.

The columns hold what data has: whole numbers with and without nulls, floats, text, dates as text,
JSON as text, true and false, and nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

COLUMNS = ("n", "m", "f", "t", "d", "j", "b", "e")
_NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 30]
_LETTERS = ["a", "bb", "dd", "ee", "ff", "gg", "ii", "jj"]
_PANDAS = {"condition_parser": "pandas"}
_PAIRS = (("n", "m"), ("n", "f"), ("t", "d"), ("m", "f"), ("d", "d"), ("e", "n"))
_SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}}

Case = tuple[str, dict[str, Any]]


def frame() -> pd.DataFrame:
    """Return ten rows, the third one null in most columns."""
    days = [f"2024-01-{day:02}" for day in range(1, 11)]
    return pd.DataFrame(
        {
            "n": _NUMBERS,
            "m": [1, 2, None, 4, 5, 6, 7, 8, 9, 9],
            "f": [0.5, 1.5, None, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 100.0],
            "t": ["a", "bb", None, "dd", "ee", "ff", "gg", "a", "ii", "jj"],
            "d": [day if number != 2 else None for number, day in enumerate(days)],
            "j": ['{"x": 1}', '{"x": 2}', None, "nojson", '{"x": "a"}', *["{}"] * 5],
            "b": [True, False, *[True] * 7, False],
            "e": [None] * 10,
        }
    )


def cases() -> list[Case]:
    """Return every case: a type and its arguments."""
    found = [case for column in COLUMNS for case in _of_column(column)]
    found += [case for pair in _PAIRS for case in _of_pair(*pair)]
    found += _of_table()
    return [
        (kind if kind.startswith("unexpected") else f"expect_{kind}", kwargs)
        for kind, kwargs in found
    ]


def _of_column(column: str) -> Iterator[Case]:
    for kind, kwargs in (*_SETS, *_BETWEEN, *_ROWS, *_TEXTS, *_AGGREGATES, *_TYPES):
        yield kind, {"column": column, **kwargs}


_VALUES: dict[str, Any] = {"value_set": [1, 2, 3.5, "a", "dd", True]}
_SETS: tuple[Case, ...] = (
    ("column_distinct_values_to_be_in_set", {"value_set": [*_NUMBERS, *_LETTERS]}),
    ("column_distinct_values_to_contain_set", {"value_set": [1, 2]}),
    ("column_distinct_values_to_contain_set", {"value_set": ["a", "bb"]}),
    ("column_distinct_values_to_equal_set", {"value_set": _NUMBERS}),
    ("column_distinct_values_to_equal_set", {"value_set": [True, False]}),
    ("column_most_common_value_to_be_in_set", {"value_set": ["a", 9, True]}),
    ("column_most_common_value_to_be_in_set", {"value_set": ["a", 9], "ties_okay": True}),
    ("column_values_to_be_in_set", _VALUES),
    ("column_values_to_not_be_in_set", _VALUES),
    ("column_values_to_be_in_set", {"value_set": ["2024-01-01", "2024-01-02"]}),
)
_DAYS: dict[str, Any] = {"min_value": "2024-01-01", "max_value": "2024-01-13"}
_BETWEEN: tuple[Case, ...] = (
    ("column_min_to_be_between", {"min_value": 0, "max_value": 3}),
    ("column_max_to_be_between", {"min_value": 0, "max_value": 30}),
    ("column_min_to_be_between", _DAYS),
    ("column_max_to_be_between", _DAYS),
    ("column_values_to_be_between", {"min_value": 1, "max_value": 8}),
    ("column_values_to_be_between", {"min_value": 1, "max_value": 8, "strict_min": True}),
    ("column_values_to_be_between", {"min_value": "2024-01-02", "max_value": "2024-01-08"}),
    ("column_values_to_be_between", {"min_value": 1, "row_condition": "n>3", **_PANDAS}),
)
_ROWS: tuple[Case, ...] = (
    ("column_values_to_be_null", {}),
    ("column_values_to_not_be_null", {}),
    ("column_values_to_not_be_null", {"mostly": 0.9}),
    ("column_values_to_not_be_null", {"row_condition": "n<4", **_PANDAS}),
    ("column_values_to_be_unique", {}),
    ("column_values_to_be_increasing", {}),
    ("column_values_to_be_decreasing", {"strictly": True}),
    ("column_to_exist", {}),
    ("column_to_exist", {"column_index": 1}),
)
_TEXTS: tuple[Case, ...] = (
    ("column_values_to_be_dateutil_parseable", {}),
    ("column_values_to_be_json_parseable", {}),
    ("column_values_to_match_json_schema", {"json_schema": _SCHEMA}),
    ("column_values_to_match_regex", {"regex": "^[a-e0-9]"}),
    ("column_values_to_match_regex_list", {"regex_list": ["^[a-c]", "^d"]}),
    ("column_values_to_not_match_regex", {"regex": "^[a-c]"}),
    ("column_values_to_not_match_regex_list", {"regex_list": ["^[a-c]", "^d"]}),
    ("column_values_to_match_like_pattern", {"like_pattern": "a%"}),
    ("column_values_to_match_like_pattern_list", {"like_pattern_list": ["a%"]}),
    ("column_values_to_not_match_like_pattern", {"like_pattern": "a%"}),
    ("column_values_to_not_match_like_pattern_list", {"like_pattern_list": ["a%"]}),
    ("column_values_to_match_strftime_format", {"strftime_format": "%Y-%m-%d"}),
    ("column_value_lengths_to_be_between", {"min_value": 1, "max_value": 2}),
    ("column_value_lengths_to_equal", {"value": 2}),
)
_RANGE: dict[str, Any] = {"min_value": 0, "max_value": 8}
_SHARE: dict[str, Any] = {"min_value": 0.9, "max_value": 1}
_QUANTILES: tuple[dict[str, Any], ...] = (
    {"quantiles": [0.25, 0.5], "value_ranges": [[1, 4], [None, 8]]},
    {"quantiles": [0.5], "value_ranges": [[100, None]]},
)
_WEIGHTS: tuple[dict[str, Any], ...] = (
    {"values": ["a", "bb"], "weights": [0.5, 0.5]},
    {"bins": [0, 5, 10], "weights": [0.5, 0.5]},
)
_AGGREGATES: tuple[Case, ...] = (
    *(
        ("column_quantile_values_to_be_between", {"quantile_ranges": ranges})
        for ranges in _QUANTILES
    ),
    ("column_mean_to_be_between", _RANGE),
    ("column_median_to_be_between", _RANGE),
    ("column_stdev_to_be_between", _RANGE),
    ("column_sum_to_be_between", {"min_value": 0, "max_value": 80}),
    ("column_proportion_of_non_null_values_to_be_between", _SHARE),
    ("column_proportion_of_unique_values_to_be_between", _SHARE),
    ("column_unique_value_count_to_be_between", {"min_value": 9, "max_value": 10}),
    ("column_value_z_scores_to_be_less_than", {"threshold": 2, "double_sided": True}),
    ("column_values_to_not_be_outliers", {"method": "iqr", "multiplier": 1.5}),
    *(
        ("column_kl_divergence_to_be_less_than", {"partition_object": parts, "threshold": 0.5})
        for parts in _WEIGHTS
    ),
)
_TYPE_NAMES = ("int64", "float64", "object", "str", "bool", "int", "float", "datetime64")
_TYPES: tuple[Case, ...] = (
    *(("column_values_to_be_of_type", {"type_": name}) for name in _TYPE_NAMES),
    *(("column_type_to_be", {"type_": name}) for name in _TYPE_NAMES),
    ("column_values_to_be_in_type_list", {"type_list": ["int64", "int", "float64"]}),
    ("column_values_to_be_in_type_list", {"type_list": ["str", "object"]}),
)


def _of_pair(left: str, right: str) -> list[Case]:
    pair = {"column_A": left, "column_B": right}
    both = {"column_list": [left, right]}
    rows = {"ignore_row_if": "either_value_is_missing"}
    pairs = [[1, 1], [2, 2], ["a", "2024-01-01"]]
    return [
        ("column_pair_values_a_to_be_greater_than_b", pair),
        ("column_pair_values_a_to_be_greater_than_b", {**pair, "or_equal": True, **rows}),
        ("column_pair_values_to_be_equal", pair),
        ("column_pair_values_to_be_in_set", {**pair, "value_pairs_set": pairs}),
        ("compound_columns_to_be_unique", both),
        ("multicolumn_sum_to_equal", {**both, "sum_total": 2}),
        ("multicolumn_values_to_be_equal", both),
        ("select_column_values_to_be_unique_within_record", both),
    ]


def _of_table() -> list[Case]:
    return [
        ("table_column_count_to_be_between", {"min_value": 1, "max_value": 7}),
        ("table_column_count_to_equal", {"value": len(COLUMNS)}),
        ("table_columns_to_match_ordered_list", {"column_list": list(COLUMNS)}),
        ("table_columns_to_match_ordered_list", {"column_list": ["n", "m"]}),
        ("table_columns_to_match_ordered_list", {"column_list": ["m", "f"]}),
        ("table_columns_to_match_set", {"column_set": ["n", "m"]}),
        ("table_columns_to_match_set", {"column_set": ["n", "m"], "exact_match": False}),
        ("table_row_count_to_be_between", {"min_value": 1, "max_value": 9}),
        ("table_row_count_to_equal", {"value": 10}),
        ("table_row_count_to_equal", {"value": 7, "row_condition": "n>3", **_PANDAS}),
        ("table_row_count_to_equal_other_table", {"other_table_name": "x"}),
        ("unexpected_rows_expectation", {"unexpected_rows_query": "select * from {batch}"}),
        (
            "query_results_to_match_comparison",
            {
                "base_query": "select 1",
                "comparison_data_source_name": "x",
                "comparison_query": "select 1",
            },
        ),
        ("column_values_to_be_unique", {"column": "absent"}),
        ("column_to_exist", {"column": "absent"}),
    ]
