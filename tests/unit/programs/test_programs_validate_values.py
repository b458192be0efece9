"""What the validate program makes of values: whole numbers, encodings, indexes, dates, decimals."""

from __future__ import annotations

import decimal
import json
import sys

import pandas as pd
import pytest

from pipelines.json_types import JsonObject
from pipelines.programs import declaration
from tests.unit.programs.allowed import Allowed
from tests.unit.programs.validation_job import Project

# Great Expectations and what it imports warn about their own dependencies.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LARGE = 2**53


def entry(kind: str, **kwargs: object) -> JsonObject:
    """Return one expectation of severity info: its outcome is read in the report."""
    return {"type": f"expect_{kind}", "kwargs": kwargs, "severity": "info"}


def outcomes(validation: Project, *expectations: JsonObject) -> list[tuple[bool, str | None]]:
    """Run a suite over the table `t`; return success and reason of each expectation."""
    validation.suite("t", *expectations)
    assert validation.run("t") == 0
    found = validation.report()["tables"]["t"]["expectations"]
    return [(one["success"], one["reason"]) for one in found]


def text(validation: Project, content: bytes, file: str = "a.csv") -> None:
    """Write a data file of the table `t` byte by byte."""
    path = validation.layout.input("t") / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_an_expectation_on_the_columns_sees_all_of_them(validation: Project) -> None:
    """A further column is noticed, an index counts from the file's first column."""
    text(validation, b"a,b,c\n1,2,3\n")
    ordered = "table_columns_to_match_ordered_list"
    assert outcomes(
        validation,
        entry(ordered, column_list=["a", "b"]),
        entry(ordered, column_list=["b", "c"]),
        entry(ordered, column_list=["a", "b", "c"]),
        entry("column_to_exist", column="b", column_index=1),
        entry("column_to_exist", column="b", column_index=2),
    ) == [(False, None), (False, None), (True, None), (True, None), (False, None)]


@pytest.mark.parametrize(
    "expectation",
    [
        entry("table_columns_to_match_set", column_set=["a", "b"]),
        entry("column_to_exist", column="b", column_index=2),
        entry("table_column_count_to_equal", value=1),
    ],
)
def test_an_expectation_on_the_columns_is_right_alone_in_a_suite(
    validation: Project, expectation: JsonObject
) -> None:
    """No other expectation makes the program read all columns."""
    text(validation, b"a,b,c\n1,2,3\n")
    assert outcomes(validation, expectation) == [(False, None)]


def test_what_one_expectation_raises_is_its_own_outcome(
    validation: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other expectations and tables keep their outcomes, whatever Great Expectations raises."""
    from great_expectations.expectations.core.expect_column_mean_to_be_between import (  # noqa: PLC0415 - takes seconds
        ExpectColumnMeanToBeBetween,
    )

    def _fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of the test")

    monkeypatch.setattr(ExpectColumnMeanToBeBetween, "get_validation_dependencies", _fail)
    text(validation, b"a\n1\n")
    met, failed = outcomes(
        validation,
        entry("column_max_to_be_between", column="a", max_value=2),
        entry("column_mean_to_be_between", column="a", max_value=2),
    )
    assert met == (True, None)
    assert failed[0] is False
    assert "of the test" in str(failed[1])


def test_quantiles_are_evaluated(validation: Project) -> None:
    """On numbers; on text the outcome says what the column holds."""
    text(validation, b"a,t\n1,x\n2,y\n3,z\n")
    quantiles = {"quantiles": [0.5], "value_ranges": [[2, 2]]}
    on_numbers, on_text = outcomes(
        validation,
        entry("column_quantile_values_to_be_between", column="a", quantile_ranges=quantiles),
        entry("column_quantile_values_to_be_between", column="t", quantile_ranges=quantiles),
    )
    assert on_numbers == (True, None)
    assert on_text[0] is False


@pytest.mark.parametrize("last", ["", f"{2**64 - 1}", f"{2**70}"])
def test_large_whole_numbers_in_csv_are_exact(validation: Project, last: str) -> None:
    """Different ids are unique beside nulls, beyond 53, 63 and 64 bits."""
    numbers = [str(LARGE), str(LARGE + 1), last]
    text(validation, "\n".join(["id,n", *(f"{number},1" for number in numbers)]).encode())
    assert (
        outcomes(
            validation,
            entry("column_values_to_be_unique", column="id"),
            entry(
                "column_values_to_be_in_set", column="id", value_set=[int(n) for n in numbers if n]
            ),
            entry("column_min_to_be_between", column="id", min_value=LARGE, max_value=LARGE),
        )
        == [(True, None)] * 3
    )


def test_equal_large_numbers_are_not_unique(validation: Project) -> None:
    """The exact way finds real duplicates too."""
    text(validation, f"id,n\n{LARGE + 1},1\n,1\n{LARGE + 1},1\n".encode())
    ((success, _),) = outcomes(validation, entry("column_values_to_be_unique", column="id"))
    assert success is False


def test_large_floats_stay_floats(validation: Project) -> None:
    """A float in scientific notation is no id."""
    text(validation, b"x\n1e300\n2.5\n9007199254740993\n")
    assert outcomes(
        validation, entry("column_max_to_be_between", column="x", min_value=1e300, max_value=1e300)
    ) == [(True, None)]


@pytest.mark.parametrize("kind", [pd.Int64Dtype(), pd.UInt64Dtype()], ids=str)
def test_large_whole_numbers_in_parquet_are_exact(
    validation: Project, kind: pd.Int64Dtype | pd.UInt64Dtype
) -> None:
    """Beside nulls, signed and unsigned."""
    numbers = pd.Series([LARGE, LARGE + 1, None], dtype=object).astype(kind)
    validation.data("t", "a.parquet", pd.DataFrame({"id": numbers}))
    assert outcomes(validation, entry("column_values_to_be_unique", column="id")) == [(True, None)]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"name,n\nJos\xe9,1\n", 2),
        (b"name,n\nA,1\nB,2\nJos\xe9,3\n", 4),
        ("Stra\u00dfe\nA\n".encode("latin-1"), 1),
        ("name\nA\n".encode("utf-16"), 1),
    ],
)
def test_a_csv_that_is_not_utf8_is_named_with_its_line(
    validation: Project, content: bytes, line: int
) -> None:
    """File, line and byte, and how to save it."""
    text(validation, content)
    validation.suite("t", entry("column_values_to_not_be_null", column="name"))
    failure = validation.failure("t")
    assert f"t/a.csv, line {line}: the byte 0x" in failure
    assert "is not UTF-8" in failure


@pytest.mark.parametrize("content", [b"n,name\n1,A\n2,Jos\xe9\n", b"n,name\n1,A\n2,\xc3"])
def test_the_columns_that_no_expectation_reads_are_utf8_too(
    validation: Project, content: bytes
) -> None:
    """What is handed on is one file; also where it ends within a character."""
    text(validation, content)
    validation.suite("t", entry("column_values_to_not_be_null", column="n"))
    assert "t/a.csv, line 3: the byte 0x" in validation.failure("t")


def test_a_large_file_is_looked_through_piece_by_piece(validation: Project) -> None:
    """Its characters of several bytes lie across the pieces; the lines are counted over all."""
    rows = [f"{number},{'中' * 100}\n" for number in range(8000)]
    content = "n,name\n" + "".join(rows)
    text(validation, content.encode())
    assert outcomes(validation, entry("column_values_to_not_be_null", column="n")) == [(True, None)]
    text(validation, content.encode() + b"8000,\xe9\n")
    assert "line 8002: the byte 0xE9" in validation.failure("t")


def test_an_index_that_pandas_wrote_is_a_column(validation: Project) -> None:
    """Of a DatetimeIndex and of both levels of a MultiIndex."""
    days = pd.date_range("2024-01-01", periods=3, name="day")
    frame = pd.DataFrame({"x": [1, 2, 3]}, index=days)
    validation.data("t", "a.parquet", frame)
    assert (
        outcomes(
            validation,
            entry("column_values_to_be_between", column="day", min_value="2024-01-01"),
            entry("column_to_exist", column="day"),
        )
        == [(True, None)] * 2
    )
    levels = pd.MultiIndex.from_product([["a"], [1, 2, 3]], names=["k", "n"])
    validation.data("t", "a.parquet", frame.set_index(levels))
    assert (
        outcomes(
            validation,
            entry("column_values_to_be_in_set", column="k", value_set=["a"]),
            entry("column_values_to_be_unique", column="n"),
        )
        == [(True, None)] * 2
    )


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
@pytest.mark.parametrize("earliest", ["2024-01-02", "2024-01-02T00:00:00", "2024-01-02T00:00:00Z"])
def test_timestamps_are_compared_with_dates_in_text(
    validation: Project, zone: str | None, earliest: str
) -> None:
    """Between, greatest and least, sets and quantiles; what has no zone is in UTC."""
    days = pd.date_range("2024-01-02", periods=3, tz="UTC").tz_convert(zone)
    validation.data("t", "a.parquet", pd.DataFrame({"day": days}))
    ranges = {"quantiles": [0.5], "value_ranges": [["2024-01-03", "2024-01-03"]]}
    met = [
        entry("column_values_to_be_between", column="day", min_value=earliest),
        entry("column_min_to_be_between", column="day", min_value=earliest, max_value=earliest),
        entry("column_values_to_not_be_in_set", column="day", value_set=["2024-02-01"]),
        entry("column_quantile_values_to_be_between", column="day", quantile_ranges=ranges),
    ]
    not_met = [
        entry("column_values_to_be_between", column="day", min_value="2024-01-03"),
        entry("column_values_to_be_in_set", column="day", value_set=[earliest, "2024-01-03"]),
    ]
    assert outcomes(validation, *met, *not_met) == [*[(True, None)] * 4, *[(False, None)] * 2]


def test_dates_without_a_time_are_compared_with_text(validation: Project) -> None:
    """A date32 column, as Spark writes it, with a null."""
    days = [pd.Timestamp("2024-01-02").date(), None, pd.Timestamp("2024-01-04").date()]
    validation.data("t", "a.parquet", pd.DataFrame({"day": days}))
    assert outcomes(
        validation,
        entry("column_values_to_be_between", column="day", min_value="2024-01-02"),
        entry("column_max_to_be_between", column="day", max_value="2024-01-04"),
        entry("column_values_to_be_in_set", column="day", value_set=["2024-01-02", "2024-01-04"]),
        entry("column_values_to_be_between", column="day", min_value="2024-01-03"),
    ) == [*[(True, None)] * 3, (False, None)]


@pytest.mark.parametrize("digits", ["0.1", "12345678901234567890.1"])
def test_decimals_are_compared_with_numbers(validation: Project, digits: str) -> None:
    """Few digits and many, beside a null: sums and means are evaluated."""
    value = decimal.Decimal(digits)
    validation.data("t", "a.parquet", pd.DataFrame({"price": [value, None, value]}))
    found = outcomes(
        validation,
        entry("column_values_to_be_between", column="price", min_value=0),
        entry("column_mean_to_be_between", column="price", min_value=0.1),
        entry("column_sum_to_be_between", column="price", min_value=0.2),
        entry("column_values_to_be_in_set", column="price", value_set=[0.1]),
    )
    assert found[:3] == [(True, None)] * 3
    assert found[3][0] is (digits == "0.1")


def test_what_cannot_be_compared_says_what_the_column_holds(validation: Project) -> None:
    """Text and a number: the advice is the column's type."""
    text(validation, b"t\nx\ny\n")
    ((success, reason),) = outcomes(
        validation, entry("column_max_to_be_between", column="t", max_value=2)
    )
    assert success is False
    assert "`t` holds text" in str(reason)


def test_a_table_that_cannot_be_read_leaves_the_others_their_outcomes(validation: Project) -> None:
    """The report has both, the failure begins with what cannot be read."""
    text(validation, b"a\n1\n")
    validation.suite("t", entry("column_values_to_not_be_null", column="a"))
    validation.suite("u", entry("column_values_to_not_be_null", column="a"))
    assert validation.failure("t", "u").startswith("The input `u` is not there")
    tables = validation.report()["tables"]
    assert tables["t"]["success"] is True
    assert tables["u"]["error"].startswith("The input `u` is not there")


class Bucket:
    """An S3 client that keeps what is put, or has no network."""

    def __init__(self, *, is_reachable: bool) -> None:
        self.is_reachable = is_reachable
        self.objects: dict[str, tuple[bytes, str]] = {}

    def put_object(self, **request: object) -> None:
        """Keep an object."""
        if not self.is_reachable:
            raise OSError("no route to host")
        body = request["Body"].read()  # type: ignore[attr-defined]
        self.objects[f"{request['Bucket']}/{request['Key']}"] = (body, str(request["ContentType"]))


def _broken(validation: Project) -> None:
    """Data that fails, in a job whose request says where its outputs go."""
    text(validation, b"a\n\n1\n")
    validation.suite(
        "t",
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "a", "value_set": []}},
    )
    outputs = [
        {"OutputName": name, "S3Output": {"S3Uri": f"s3://bucket/runs/e/check/{name}"}}
        for name in ("report", "docs")
    ]
    config = validation.layout.config_dir / "processingjobconfig.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"ProcessingOutputConfig": {"Outputs": outputs}}))


def test_report_and_docs_of_broken_data_are_kept(
    validation: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are uploaded to where the outputs go, and the failure names the places."""
    bucket, actions = Bucket(is_reachable=True), set[str]()
    client = Allowed("validate", "s3", bucket, actions)
    monkeypatch.setattr("boto3.client", lambda *_, **__: client)
    _broken(validation)
    failure = validation.failure("t")
    assert failure.endswith(
        "Kept: s3://bucket/runs/e/check/report/ and s3://bucket/runs/e/check/docs/"
    )
    body, kind = bucket.objects["bucket/runs/e/check/report/report.json"]
    assert json.loads(body)["success"] is False
    assert kind == "application/json"
    assert bucket.objects["bucket/runs/e/check/docs/index.html"][1] == "text/html"
    assert actions == set(declaration("validate").actions)


def test_a_failure_says_why_report_and_docs_are_not_kept(
    validation: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network, and without boto3."""
    _broken(validation)
    monkeypatch.setattr("boto3.client", lambda *_, **__: Bucket(is_reachable=False))
    assert validation.failure("t").endswith("were not kept: no route to host")
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert "boto3 is not installed" in validation.failure("t")


def test_the_report_is_plain_json(validation: Project) -> None:
    """Dates, decimals and NumPy's numbers are samples that any reader can read."""
    days = pd.date_range("2024-01-02", periods=2)
    validation.data("t", "a.parquet", pd.DataFrame({"day": days, "n": [1, 2]}))
    outcomes(
        validation,
        entry("column_values_to_be_in_set", column="day", value_set=[]),
        entry("column_max_to_be_between", column="n", max_value=1),
    )
    found = validation.report()["tables"]["t"]["expectations"]
    assert found[0]["samples"] == ["2024-01-02T00:00:00", "2024-01-03T00:00:00"]
    assert found[1]["observed"] == 2
