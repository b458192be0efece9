"""Run Great Expectations suites over the inputs of a validation step.

Config: `{"suites": {INPUT: FILE}, "fail_on": "critical" | "warning" | "info"}`; a file is
relative to the bundle's code folder, which is the working directory. Output `report` gets
report.json (`report.build_report` says its shape), output `docs` the data docs.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.programs.validate.keep import upload
from pipelines.programs.validate.outcome import TableOutcome
from pipelines.programs.validate.page import write_index
from pipelines.programs.validate.report import build_report, describe, failure_text
from pipelines.programs.validate.suites import ExpectationSeverity, Suite, load_suite
from pipelines.programs.validate.tables import Source, find_source, read_table
from pipelines.runtime.environment import variable
from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from great_expectations.core import ExpectationSuiteValidationResult

    from pipelines.programs.validate.checks import Checker
    from pipelines.runtime.layout import Layout


def main(config: dict[str, object], layout: Layout) -> int:
    """Check every table, write report and docs.

    Every table is checked, also where one cannot be read. Before the job fails, report and docs
    are uploaded, since the platform does not keep the outputs of a failed job.

    Raises:
        JobError: an expectation as grave as `fail_on` is not met, or a suite or a table
            cannot be used.
    """
    fail_on = ExpectationSeverity.parse(config.get("fail_on") or "critical", "fail_on")
    suites = _suites(config)
    report, docs = _output("report", layout), _output("docs", layout)
    tables = _check(suites, layout, docs)
    text = json.dumps(build_report(tables, fail_on), indent=2, ensure_ascii=False, allow_nan=False)
    (report / "report.json").write_text(text + "\n", encoding="utf-8")
    write_index(tables, docs)
    failure = None
    if any(table.fails(fail_on) for table in tables):
        kept = upload({"report": report, "docs": docs}, layout)
        failure = failure_text(tables, fail_on, kept)
    for table in tables:
        _print(table, (failure or "").splitlines())
    if failure is not None:
        raise JobError(failure)
    return 0


def _check(suites: dict[str, Suite], layout: Layout, docs: Path) -> list[TableOutcome]:
    """Check every table; one that cannot be read has an outcome too."""
    sources: dict[str, Source] = {}
    tables: dict[str, TableOutcome] = {}
    for name, suite in suites.items():
        try:
            sources[name] = find_source(name, _folder(name, layout))
        except JobError as error:
            tables[name] = TableOutcome(name, suite.file, 0, 0, (), error=str(error))
    if sources:
        tables |= _evaluate(suites, sources, docs)
    return [tables[name] for name in suites]


def _evaluate(
    suites: dict[str, Suite], sources: dict[str, Source], docs: Path
) -> dict[str, TableOutcome]:
    # Great Expectations takes seconds to import: only once there is something to evaluate.
    from pipelines.programs.validate.checks import Checker, check_suite  # noqa: PLC0415
    from pipelines.programs.validate.docs import write_page  # noqa: PLC0415

    for suite in suites.values():
        check_suite(suite)
    checker = Checker()
    tables = {}
    for name, source in sources.items():
        try:
            tables[name], answer = _check_table(checker, suites[name], source)
            write_page(answer, docs, name)
        except JobError as error:
            tables[name] = TableOutcome(name, suites[name].file, 0, 0, (), error=str(error))
    return tables


def _check_table(
    checker: Checker, suite: Suite, source: Source
) -> tuple[TableOutcome, ExpectationSuiteValidationResult]:
    from pipelines.programs.validate.checks import needed_columns  # noqa: PLC0415 - as above

    frame = read_table(source, needed_columns(suite, source))
    evaluated = checker.run(suite, source, frame)
    rows, files = len(frame), len(source.paths)
    table = TableOutcome(source.name, suite.file, rows, files, evaluated.outcomes)
    return table, evaluated.answer


def _print(table: TableOutcome, failure: Sequence[str]) -> None:
    """Print what became of a table; the lines of the failure end the log, and stand there once."""
    if table.error is not None:
        if table.error not in failure:
            print(f"{table.name}: {table.error}")
        return
    met = sum(outcome.success for outcome in table.outcomes)
    print(f"{table.name}: {table.rows} rows, {met} of {len(table.outcomes)} expectations met")
    for outcome in table.outcomes:
        said = describe(outcome)
        if not outcome.success and f"- {table.name}: {said}" not in failure:
            print(f"  not met: {said}")


def _suites(config: dict[str, object]) -> dict[str, Suite]:
    named = config.get("suites")
    if not isinstance(named, dict) or not named:
        raise JobError("A validation step needs at least one suite: `suites` names none.")
    return {str(name): load_suite(Path(str(file))) for name, file in named.items()}


def _folder(name: str, layout: Layout) -> Path:
    given = os.environ.get(variable("SM_CHANNEL_", name))
    return Path(given) if given else layout.input(name)


def _output(name: str, layout: Layout) -> Path:
    given = os.environ.get(variable("SM_OUT_", name))
    folder = Path(given) if given else layout.output(name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
