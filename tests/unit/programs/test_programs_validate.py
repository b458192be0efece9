"""The validate program, run in this process as the runtime runs it."""

from __future__ import annotations

import gzip
import json
import re

import pandas as pd
import pytest

from pipelines.json_types import JsonObject
from tests.unit.programs.validation_job import Project

# Great Expectations and what it imports warn about their own dependencies.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FLIGHTS = pd.DataFrame(
    {
        "carrier": ["UA", "AA", "DL", "XX"],
        "distance": [719.0, 1400.0, None, -5.0],
        "day": [1, 2, 3, 4],
    }
)


def entry(kind: str, severity: str = "critical", **kwargs: object) -> JsonObject:
    """Return one expectation as Great Expectations saves it."""
    return {"type": kind, "kwargs": kwargs, "meta": {}, "severity": severity}


def test_data_that_meets_its_suites_passes_with_report_and_docs(validation: Project) -> None:
    """Several tables are checked in one job; report.json and index.html say so."""
    validation.data("flights", "2013.csv", FLIGHTS)
    validation.data("weather", "part.parquet", pd.DataFrame({"temp": [1.5, 2.5]}))
    validation.suite("flights", entry("expect_column_values_to_not_be_null", column="carrier"))
    validation.suite(
        "weather", entry("expect_column_mean_to_be_between", column="temp", max_value=3)
    )

    assert validation.run("flights", "weather") == 0

    report = validation.report()
    assert report["success"] is True
    assert report["statistics"] == {
        "tables": 2,
        "rows": 6,
        "expectations": 2,
        "successful": 2,
        "failed": 0,
        "success_percent": 100.0,
        "critical": 0,
        "warning": 0,
        "info": 0,
    }
    assert report["tables"]["weather"]["expectations"][0]["observed"] == 2.0
    assert "Data validation" in (validation.layout.output("docs") / "index.html").read_text()


def test_a_broken_critical_expectation_fails_with_table_counts_and_samples(
    validation: Project,
) -> None:
    """The text names table, expectation, count, share and values."""
    validation.data("flights", "2013.csv", FLIGHTS)
    validation.suite(
        "flights",
        entry("expect_column_values_to_be_in_set", column="carrier", value_set=["UA", "AA", "DL"]),
    )
    assert validation.failure("flights") == (
        "The data does not meet 1 expectation.\n"
        '- flights: column carrier: values to be in set (value_set: ["UA", "AA", "DL"]) '
        '[critical]; 1 row does not (25 %); such as "XX"\n'
        f"See {validation.layout.output('report')} and {validation.layout.output('docs')}"
    )
    found = validation.report()["tables"]["flights"]["expectations"][0]
    assert found["success"] is False
    assert found["unexpected_count"] == 1
    assert found["unexpected_percent"] == 25.0
    assert found["samples"] == ["XX"]


def test_a_broken_warning_is_reported_and_the_step_passes(validation: Project) -> None:
    """`severity` is Great Expectations' own field; below `fail_on` it does not fail the step."""
    validation.data("flights", "2013.csv", FLIGHTS)
    validation.suite(
        "flights",
        entry("expect_column_values_to_not_be_null", "warning", column="distance"),
    )
    assert validation.run("flights") == 0
    report = validation.report()
    assert report["success"] is True
    assert report["statistics"]["warning"] == 1
    assert "[warning]" in validation.failure("flights", fail_on="warning")


def test_log_and_failure_together_name_each_expectation_once(
    validation: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """The failure ends the log: what it names, or names whole, does not stand there before."""
    validation.data("flights", "2013.csv", FLIGHTS)
    one = "expect_column_values_to_be_in_set"
    validation.suite(
        "flights",
        entry("expect_column_values_to_not_be_null", "warning", column="distance"),
        entry(one, column="carrier", value_set=["UA"]),
        entry(one, column="carrier", value_set=["é" * 300]),
        *[entry(one, column="carrier", value_set=["AA", number]) for number in range(10)],
    )
    failure = validation.failure("flights").splitlines()
    head, *logged = capsys.readouterr().out.splitlines()
    assert head == "flights: 4 rows, 0 of 13 expectations met"
    logged = [line.removeprefix("  not met: ") for line in logged]
    named = [line.removeprefix("- flights: ") for line in failure if line.startswith("- ")]
    assert "values to not be null [warning]" in logged[0]
    whole = [line for line in named if not line.endswith("…")]
    assert len({*logged, *whole}) == len(logged) + len(whole) == 13


def test_the_severity_of_meta_counts_where_the_field_is_missing(validation: Project) -> None:
    """Suites saved before the field existed keep their severity in `meta`."""
    validation.data("flights", "2013.csv", FLIGHTS)
    old = entry("expect_column_values_to_not_be_null", column="distance")
    del old["severity"]
    validation.suite("flights", {**old, "meta": {"severity": "info"}})
    assert validation.run("flights") == 0
    assert validation.report()["statistics"]["info"] == 1


def test_the_gravest_failure_comes_first_and_the_text_keeps_to_one_kilobyte(
    validation: Project,
) -> None:
    """Whatever does not fit is counted."""
    validation.data("flights", "2013.csv", FLIGHTS)
    long = ["é" * 300]
    validation.suite(
        "flights",
        entry("expect_column_values_to_not_be_null", "warning", column="distance"),
        *[
            entry("expect_column_values_to_be_in_set", column="carrier", value_set=[*long, number])
            for number in range(6)
        ],
    )
    lines = validation.failure("flights", fail_on="info").splitlines()
    assert lines[0] == "The data does not meet 7 expectations."
    assert "column carrier" in lines[1]
    assert re.fullmatch(r"… and \d more", lines[-2])
    assert lines[-1].startswith("See ")


def test_several_files_are_one_table_and_hidden_ones_are_none(validation: Project) -> None:
    """CSV, compressed or not, in any folder below; `_SUCCESS` and the like are left out."""
    validation.data("flights", "a.csv", FLIGHTS)
    packed = validation.data("flights", "deep/b.csv", FLIGHTS)
    packed.with_suffix(".csv.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    validation.data("flights", "_temporary/c.csv", FLIGHTS)
    validation.suite("flights", entry("expect_table_row_count_to_equal", value=8))
    assert validation.run("flights") == 0
    assert validation.report()["tables"]["flights"]["files"] == 2


def test_csv_dates_stay_text_and_differing_columns_become_text(validation: Project) -> None:
    """A suite speaks of a date's format; a code is not a number because one file has only digits.

    Text with line breaks in quotes is one value, and NA is none.
    """
    validation.data(
        "flights", "a.csv", pd.DataFrame({"on": ["2013-01-02"], "code": ["7"], "n": [1]})
    )
    validation.data("flights", "b.csv", pd.DataFrame({"on": ["NA"], "code": ["a\nb"], "n": [1.5]}))
    validation.suite(
        "flights",
        entry(
            "expect_column_values_to_match_strftime_format", column="on", strftime_format="%Y-%m-%d"
        ),
        entry("expect_column_values_to_be_null", column="on", mostly=0.5),
        entry("expect_column_values_to_be_in_set", column="code", value_set=["7", "a\nb"]),
        entry("expect_column_max_to_be_between", column="n", max_value=1.5),
    )
    assert validation.run("flights") == 0


def test_a_table_of_no_rows_can_be_checked(validation: Project) -> None:
    """A CSV file of a header alone is a table with columns."""
    validation.data("flights", "a.csv", FLIGHTS.head(0))
    validation.suite("flights", entry("expect_table_row_count_to_be_between", min_value=1))
    assert "observed 0" in validation.failure("flights")


def test_an_expectation_on_the_columns_sees_all_of_them(validation: Project) -> None:
    """Columns that no expectation names are not read, except where one looks at the columns."""
    validation.data("flights", "a.parquet", FLIGHTS)
    validation.suite(
        "flights",
        entry("expect_table_columns_to_match_set", column_set=["carrier", "distance", "day"]),
        entry("expect_column_values_to_be_unique", column="day"),
    )
    assert validation.run("flights") == 0


def test_the_same_expectation_twice_is_reported_twice(validation: Project) -> None:
    """Outcomes stand in the order of the suite's file."""
    validation.data("flights", "a.csv", FLIGHTS)
    twice = entry("expect_column_values_to_be_unique", column="day")
    validation.suite("flights", twice, entry("expect_column_to_exist", column="carrier"), twice)
    assert validation.run("flights") == 0
    found = validation.report()["tables"]["flights"]["expectations"]
    assert [one["number"] for one in found] == [1, 2, 3]
    assert [one["column"] for one in found] == ["day", "carrier", "day"]


def test_a_column_that_is_not_there_is_named_with_the_nearest_one(validation: Project) -> None:
    """It is a broken expectation, said in words; others are evaluated all the same."""
    validation.data("flights", "a.csv", FLIGHTS)
    validation.suite(
        "flights",
        entry("expect_column_values_to_not_be_null", column="distanse"),
        entry("expect_column_values_to_be_unique", column="day"),
    )
    text = validation.failure("flights")
    assert "the data has no column `distanse`; did you mean `distance`?" in text
    assert "Columns: carrier, distance, day" in text
    assert validation.report()["statistics"]["successful"] == 1


def test_values_that_cannot_be_compared_fail_without_a_traceback(validation: Project) -> None:
    """What Great Expectations raises becomes the reason of that expectation."""
    validation.data("flights", "a.csv", FLIGHTS)
    validation.suite(
        "flights",
        entry("expect_column_values_to_match_regex", column="carrier", regex="("),
    )
    assert "could not be evaluated" in validation.failure("flights")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{", "`flights.json`: it is not valid JSON at line 1, column 2"),
        ("[]", "it has no list `expectations`; save it with Great Expectations."),
        ('{"expectations": []}', "holds no expectations, so it would check nothing."),
        ('{"expectations": [3]}', "expectation 1 is not an object"),
        ('{"expectations": [{"kwargs": {}}]}', "has no `type`"),
        ('{"expectations": [{"expectation_type": "x"}]}', "Great Expectations 0.x"),
        (
            '{"expectations": [{"type": "x", "kwargs": []}]}',
            "`kwargs` and `meta` have to be objects",
        ),
        (
            (
                '{"expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "x"},'
                ' "severity": "critcal"}]}'
            ),
            "unknown severity `critcal`; did you mean `critical`?",
        ),
    ],
)
def test_a_file_that_is_no_suite_is_refused(
    validation: Project, document: str, expected: str
) -> None:
    """The text says what a suite needs."""
    (validation.root / "flights.json").write_text(document)
    assert expected in validation.failure("flights")


@pytest.mark.parametrize(
    ("expectation", "expected"),
    [
        (
            entry("expect_column_values_to_be_in_set", column="day"),
            "`value_set` is missing in `kwargs`.",
        ),
        (
            entry("expect_column_values_to_be_nul", column="day"),
            "has no such expectation; did you mean `expect_column_values_to_be_null`?",
        ),
        (
            entry("expect_column_values_to_be_in_set", column="day", value_sett=[1]),
            "it takes no `value_sett`; did you mean `value_set`?",
        ),
        (
            entry("expect_column_values_to_be_null", column="day", mosty=0.5),
            "it takes no `mosty`; did you mean `mostly`?",
        ),
        (
            entry("expect_column_values_to_be_null", column="day", mostly=3),
            "the value of `mostly` does not fit",
        ),
        (
            entry("expect_column_values_to_be_between", column="day"),
            "min_value and max_value cannot both be None.",
        ),
    ],
)
def test_an_expectation_that_cannot_be_is_refused_by_its_number(
    validation: Project, expectation: JsonObject, expected: str
) -> None:
    """Unknown types and arguments come with the nearest known one."""
    validation.data("flights", "a.csv", FLIGHTS)
    validation.suite("flights", expectation)
    text = validation.failure("flights")
    assert "xpectation 1 " in text
    assert "`flights.json`" in text
    assert expected in text


def test_the_pages_of_great_expectations_name_nothing_to_load(validation: Project) -> None:
    """Neither scripts and pictures nor what a style sheet names; values of the data stay."""
    value = "url('https://example.com/a.png')"
    validation.data("flights", "2013.csv", FLIGHTS.assign(carrier=value))
    name = "expect_column_values_to_be_in_set"
    validation.suite("flights", entry(name, "warning", column="carrier", value_set=["UA"]))
    assert validation.run("flights") == 0
    page = (validation.layout.output("docs") / "validations" / "flights.html").read_text("utf-8")
    styles = "".join(re.findall(r"<style.*?</style>", page, re.DOTALL))
    assert len(styles) > 1000
    assert "//" not in styles
    assert not re.search(r"<(script|img|link|iframe)\b", page)
    assert "example.com/a.png" in page


def test_the_index_needs_no_network_and_escapes_what_the_data_says(validation: Project) -> None:
    """index.html has no scripts, and values of the data are text in it."""
    validation.data("flights", "a.csv", pd.DataFrame({"carrier": ["<script>alert(1)</script>"]}))
    validation.suite(
        "flights",
        entry("expect_column_values_to_be_in_set", "info", column="carrier", value_set=[]),
    )
    assert validation.run("flights") == 0
    docs = validation.layout.output("docs")
    index = (docs / "index.html").read_text(encoding="utf-8")
    links = re.findall(r"href='([^']+)'", index)
    assert len(links) == 1
    for text in (index, (docs / links[0]).read_text(encoding="utf-8")):
        assert "<script" not in text
        assert not re.findall(r"""(?:src|<link[^>]*href)=['"]?(?:https?:)?//""", text)
        assert "default-src 'none'" in text


def test_places_come_from_the_variables_of_the_runtime(
    validation: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SM_CHANNEL_* and SM_OUT_* go before the conventional folders."""
    validation.data("flights", "a.csv", FLIGHTS)
    validation.suite("flights", entry("expect_column_values_to_be_unique", column="day"))
    elsewhere = validation.root / "elsewhere"
    validation.layout.input("flights").rename(elsewhere)
    monkeypatch.setenv("SM_CHANNEL_FLIGHTS", str(elsewhere))
    monkeypatch.setenv("SM_OUT_REPORT", str(validation.root / "out"))
    assert validation.run("flights") == 0
    assert json.loads((validation.root / "out" / "report.json").read_text())["success"] is True
