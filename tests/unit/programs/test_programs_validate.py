"""The validate program, run in this process as the runtime runs it."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipelines.json_types import JsonObject
from pipelines.programs.validate.main import main
from pipelines.runtime.errors import JobError
from pipelines.runtime.layout import Layout

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


class Project:
    """A job's folders: data in, suites in the working directory, report and docs out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.layout = Layout(root / "opt", "processing")

    def data(self, table: str, file: str, frame: pd.DataFrame) -> Path:
        """Write a data file of a table by the suffix of its name."""
        path = self.layout.input(table) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False)
        return path

    def suite(self, table: str, *expectations: JsonObject) -> None:
        """Write the suite of a table."""
        document = {"name": table, "expectations": list(expectations), "meta": {}}
        (self.root / f"{table}.json").write_text(json.dumps(document))

    def run(self, *tables: str, fail_on: str = "critical") -> int:
        """Run the program over these tables."""
        suites = {table: f"{table}.json" for table in tables}
        return main({"suites": suites, "fail_on": fail_on}, self.layout)

    def failure(self, *tables: str, fail_on: str = "critical") -> str:
        """Run the program, which must fail, and return the text of its failure."""
        with pytest.raises(JobError) as caught:
            self.run(*tables, fail_on=fail_on)
        text = str(caught.value)
        assert "Traceback" not in text
        assert "pydantic" not in text
        assert len(text.encode()) <= 1024
        return text

    def report(self) -> JsonObject:
        """Return the report."""
        text = (self.layout.output("report") / "report.json").read_text(encoding="utf-8")
        report: JsonObject = json.loads(text)
        return report


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return an empty project whose root is the working directory."""
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def test_data_that_meets_its_suites_passes_with_report_and_docs(project: Project) -> None:
    """Several tables are checked in one job; report.json and index.html say so."""
    project.data("flights", "2013.csv", FLIGHTS)
    project.data("weather", "part.parquet", pd.DataFrame({"temp": [1.5, 2.5]}))
    project.suite("flights", entry("expect_column_values_to_not_be_null", column="carrier"))
    project.suite("weather", entry("expect_column_mean_to_be_between", column="temp", max_value=3))

    assert project.run("flights", "weather") == 0

    report = project.report()
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
    assert "Data validation" in (project.layout.output("docs") / "index.html").read_text()


def test_a_broken_critical_expectation_fails_with_table_counts_and_samples(
    project: Project,
) -> None:
    """The text names table, expectation, count, share and values."""
    project.data("flights", "2013.csv", FLIGHTS)
    project.suite(
        "flights",
        entry("expect_column_values_to_be_in_set", column="carrier", value_set=["UA", "AA", "DL"]),
    )
    assert project.failure("flights") == (
        "The data does not meet 1 expectation.\n"
        '- flights: column carrier: values to be in set (value_set: ["UA", "AA", "DL"]) '
        '[critical]; 1 row does not (25 %); such as "XX"'
    )
    found = project.report()["tables"]["flights"]["expectations"][0]
    assert found["success"] is False
    assert found["unexpected_count"] == 1
    assert found["unexpected_percent"] == 25.0
    assert found["samples"] == ["XX"]


def test_a_broken_warning_is_reported_and_the_step_passes(project: Project) -> None:
    """`severity` is Great Expectations' own field; below `fail_on` it does not fail the step."""
    project.data("flights", "2013.csv", FLIGHTS)
    project.suite(
        "flights",
        entry("expect_column_values_to_not_be_null", "warning", column="distance"),
    )
    assert project.run("flights") == 0
    report = project.report()
    assert report["success"] is True
    assert report["statistics"]["warning"] == 1
    assert "[warning]" in project.failure("flights", fail_on="warning")


def test_the_severity_of_meta_counts_where_the_field_is_missing(project: Project) -> None:
    """Suites saved before the field existed keep their severity in `meta`."""
    project.data("flights", "2013.csv", FLIGHTS)
    old = entry("expect_column_values_to_not_be_null", column="distance")
    del old["severity"]
    project.suite("flights", {**old, "meta": {"severity": "info"}})
    assert project.run("flights") == 0
    assert project.report()["statistics"]["info"] == 1


def test_the_gravest_failure_comes_first_and_the_text_keeps_to_one_kilobyte(
    project: Project,
) -> None:
    """Whatever does not fit is counted."""
    project.data("flights", "2013.csv", FLIGHTS)
    long = ["é" * 300]
    project.suite(
        "flights",
        entry("expect_column_values_to_not_be_null", "warning", column="distance"),
        *[
            entry("expect_column_values_to_be_in_set", column="carrier", value_set=[*long, number])
            for number in range(6)
        ],
    )
    lines = project.failure("flights", fail_on="info").splitlines()
    assert lines[0] == "The data does not meet 7 expectations."
    assert "column carrier" in lines[1]
    assert re.fullmatch(r"… and \d more; see report.json", lines[-1])


def test_several_files_are_one_table_and_hidden_ones_are_none(project: Project) -> None:
    """CSV, compressed or not, in any folder below; `_SUCCESS` and the like are left out."""
    project.data("flights", "a.csv", FLIGHTS)
    packed = project.data("flights", "deep/b.csv", FLIGHTS)
    packed.with_suffix(".csv.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    project.data("flights", "_temporary/c.csv", FLIGHTS)
    project.suite("flights", entry("expect_table_row_count_to_equal", value=8))
    assert project.run("flights") == 0
    assert project.report()["tables"]["flights"]["files"] == 2


def test_csv_dates_stay_text_and_differing_columns_become_text(project: Project) -> None:
    """A suite speaks of a date's format; a code is not a number because one file has only digits.

    Text with line breaks in quotes is one value, and NA is none.
    """
    project.data("flights", "a.csv", pd.DataFrame({"on": ["2013-01-02"], "code": ["7"], "n": [1]}))
    project.data("flights", "b.csv", pd.DataFrame({"on": ["NA"], "code": ["a\nb"], "n": [1.5]}))
    project.suite(
        "flights",
        entry(
            "expect_column_values_to_match_strftime_format", column="on", strftime_format="%Y-%m-%d"
        ),
        entry("expect_column_values_to_be_null", column="on", mostly=0.5),
        entry("expect_column_values_to_be_in_set", column="code", value_set=["7", "a\nb"]),
        entry("expect_column_max_to_be_between", column="n", max_value=1.5),
    )
    assert project.run("flights") == 0


def test_a_table_of_no_rows_can_be_checked(project: Project) -> None:
    """A CSV file of a header alone is a table with columns."""
    project.data("flights", "a.csv", FLIGHTS.head(0))
    project.suite("flights", entry("expect_table_row_count_to_be_between", min_value=1))
    assert "observed 0" in project.failure("flights")


def test_an_expectation_on_the_columns_sees_all_of_them(project: Project) -> None:
    """Columns that no expectation names are not read, except where one looks at the columns."""
    project.data("flights", "a.parquet", FLIGHTS)
    project.suite(
        "flights",
        entry("expect_table_columns_to_match_set", column_set=["carrier", "distance", "day"]),
        entry("expect_column_values_to_be_unique", column="day"),
    )
    assert project.run("flights") == 0


def test_the_same_expectation_twice_is_reported_twice(project: Project) -> None:
    """Outcomes stand in the order of the suite's file."""
    project.data("flights", "a.csv", FLIGHTS)
    twice = entry("expect_column_values_to_be_unique", column="day")
    project.suite("flights", twice, entry("expect_column_to_exist", column="carrier"), twice)
    assert project.run("flights") == 0
    found = project.report()["tables"]["flights"]["expectations"]
    assert [one["number"] for one in found] == [1, 2, 3]
    assert [one["column"] for one in found] == ["day", "carrier", "day"]


def test_a_column_that_is_not_there_is_named_with_the_nearest_one(project: Project) -> None:
    """It is a broken expectation, said in words; others are evaluated all the same."""
    project.data("flights", "a.csv", FLIGHTS)
    project.suite(
        "flights",
        entry("expect_column_values_to_not_be_null", column="distanse"),
        entry("expect_column_values_to_be_unique", column="day"),
    )
    text = project.failure("flights")
    assert "the data has no column `distanse`; did you mean `distance`?" in text
    assert "Columns: carrier, distance, day" in text
    assert project.report()["statistics"]["successful"] == 1


def test_values_that_cannot_be_compared_fail_without_a_traceback(project: Project) -> None:
    """What Great Expectations raises becomes the reason of that expectation."""
    project.data("flights", "a.csv", FLIGHTS)
    project.suite(
        "flights",
        entry("expect_column_values_to_match_regex", column="carrier", regex="("),
    )
    assert "could not be evaluated" in project.failure("flights")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{", "`flights.json` is not JSON"),
        ("[]", "is not a Great Expectations suite: it needs a list `expectations`."),
        ('{"expectations": []}', "holds no expectations, so it would check nothing."),
        ('{"expectations": [3]}', "Expectation 1 of `flights.json` is not an object"),
        ('{"expectations": [{"kwargs": {}}]}', "has no `type`"),
        ('{"expectations": [{"expectation_type": "x"}]}', "Great Expectations 0.x"),
        ('{"expectations": [{"type": "x", "kwargs": []}]}', "`kwargs` and `meta` are objects"),
        (
            '{"expectations": [{"type": "x", "severity": "critcal"}]}',
            "unknown severity `critcal`; did you mean `critical`?",
        ),
    ],
)
def test_a_file_that_is_no_suite_is_refused(project: Project, document: str, expected: str) -> None:
    """The text says what a suite needs."""
    (project.root / "flights.json").write_text(document)
    assert expected in project.failure("flights")


@pytest.mark.parametrize(
    ("expectation", "expected"),
    [
        (
            entry("expect_column_values_to_be_nul", column="day"),
            "has no such expectation; did you mean `expect_column_values_to_be_null`?",
        ),
        (
            entry("expect_column_values_to_be_in_set", column="day", value_sett=[1]),
            "`value_set` is missing in `kwargs`.",
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
    project: Project, expectation: JsonObject, expected: str
) -> None:
    """Unknown types and arguments come with the nearest known one."""
    project.data("flights", "a.csv", FLIGHTS)
    project.suite("flights", expectation)
    text = project.failure("flights")
    assert text.startswith("Expectation 1 of `flights.json`")
    assert expected in text


def _nothing(_project: Project) -> None:
    """Leave the input without a folder."""


def _empty(project: Project) -> None:
    project.layout.input("flights").mkdir(parents=True)


def _notes(project: Project) -> None:
    _empty(project)
    (project.layout.input("flights") / "notes.txt").write_text("x")


def _mixed(project: Project) -> None:
    project.data("flights", "a.csv", FLIGHTS)
    project.data("flights", "b.parquet", FLIGHTS)


def _different(project: Project) -> None:
    project.data("flights", "a.csv", FLIGHTS)
    project.data("flights", "b.csv", FLIGHTS.drop(columns="day"))


def _garbage(project: Project) -> None:
    _empty(project)
    (project.layout.input("flights") / "a.parquet").write_bytes(b"PAR0" * 10)


def _ragged(project: Project) -> None:
    _empty(project)
    (project.layout.input("flights") / "a.csv").write_text("day\n1\n2,3,4\n")


def _not_packed(project: Project) -> None:
    _empty(project)
    (project.layout.input("flights") / "a.csv.gz").write_text("day\n1\n")


def _twice(project: Project) -> None:
    _empty(project)
    (project.layout.input("flights") / "a.csv").write_text("day,day\n1,2\n")


def _blank(project: Project) -> None:
    _empty(project)
    (project.layout.input("flights") / "a.csv").write_text("")


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
    project: Project, arrange: Callable[[Project], None], expected: str
) -> None:
    """Input and file stand in the text, no traceback."""
    arrange(project)
    project.suite("flights", entry("expect_column_values_to_be_null", column="day"))
    assert expected in project.failure("flights")


def test_the_index_needs_no_network_and_escapes_what_the_data_says(project: Project) -> None:
    """index.html has no scripts, and values of the data are text in it."""
    project.data("flights", "a.csv", pd.DataFrame({"carrier": ["<script>alert(1)</script>"]}))
    project.suite(
        "flights",
        entry("expect_column_values_to_be_in_set", "info", column="carrier", value_set=[]),
    )
    assert project.run("flights") == 0
    docs = project.layout.output("docs")
    index = (docs / "index.html").read_text(encoding="utf-8")
    assert "<script" not in index
    assert "http" not in index
    links = re.findall(r"href='([^']+)'", index)
    assert len(links) == 1
    assert (docs / links[0]).is_file()


def test_places_come_from_the_variables_of_the_runtime(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SM_CHANNEL_* and SM_OUT_* go before the conventional folders."""
    project.data("flights", "a.csv", FLIGHTS)
    project.suite("flights", entry("expect_column_values_to_be_unique", column="day"))
    elsewhere = project.root / "elsewhere"
    project.layout.input("flights").rename(elsewhere)
    monkeypatch.setenv("SM_CHANNEL_FLIGHTS", str(elsewhere))
    monkeypatch.setenv("SM_OUT_REPORT", str(project.root / "out"))
    assert project.run("flights") == 0
    assert json.loads((project.root / "out" / "report.json").read_text())["success"] is True
