"""What the validate program says of data that is no table."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from tests.unit.programs.validation_job import Project

FLIGHTS = pd.DataFrame({"carrier": ["UA", "AA"], "day": [1, 2]})


def _nothing(_validation: Project) -> None:
    """Leave the input without a folder."""


def _empty(validation: Project) -> None:
    validation.layout.input("flights").mkdir(parents=True)


def _notes(validation: Project) -> None:
    _empty(validation)
    (validation.layout.input("flights") / "notes.txt").write_text("x")


def _mixed(validation: Project) -> None:
    validation.data("flights", "a.csv", FLIGHTS)
    validation.data("flights", "b.parquet", FLIGHTS)


def _different(validation: Project) -> None:
    validation.data("flights", "a.csv", FLIGHTS)
    validation.data("flights", "b.csv", FLIGHTS.drop(columns="day"))


def _garbage(validation: Project) -> None:
    _empty(validation)
    (validation.layout.input("flights") / "a.parquet").write_bytes(b"PAR0" * 10)


def _ragged(validation: Project) -> None:
    _empty(validation)
    (validation.layout.input("flights") / "a.csv").write_text("day\n1\n2,3,4\n")


def _not_packed(validation: Project) -> None:
    _empty(validation)
    (validation.layout.input("flights") / "a.csv.gz").write_text("day\n1\n")


def _twice(validation: Project) -> None:
    _empty(validation)
    (validation.layout.input("flights") / "a.csv").write_text("day,day\n1,2\n")


def _blank(validation: Project) -> None:
    _empty(validation)
    (validation.layout.input("flights") / "a.csv").write_text("")


@pytest.mark.parametrize(
    ("arrange", "expected"),
    [
        (_nothing, "The input `flights` is not there"),
        (_empty, "The input `flights` holds no CSV or Parquet file."),
        (_notes, "It holds only notes.txt and the like."),
        (_mixed, "mixes CSV and Parquet (a.csv and b.parquet)"),
        (_different, "b.csv has no column `day`, a.csv has it."),
        (_garbage, "flights/a.parquet cannot be read as Parquet: "),
        (_ragged, "flights/a.csv cannot be read as CSV: "),
        (_not_packed, "flights/a.csv.gz cannot be read as CSV: "),
        (_twice, "flights/a.csv has two columns `day`."),
        (_blank, "flights/a.csv cannot be read as CSV: "),
    ],
)
def test_data_that_is_no_table_is_named(
    validation: Project, arrange: Callable[[Project], None], expected: str
) -> None:
    """Input and file stand in the text, no traceback."""
    arrange(validation)
    expectation = {"type": "expect_column_values_to_be_null", "kwargs": {"column": "day"}}
    validation.suite("flights", expectation)
    assert expected in validation.failure("flights")
