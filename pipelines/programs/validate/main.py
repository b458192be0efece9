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

from pipelines.programs.validate.outcome import TableOutcome
from pipelines.programs.validate.page import write_index
from pipelines.programs.validate.report import build_report, describe, failure_text
from pipelines.programs.validate.suites import Severity, Suite, load_suite
from pipelines.programs.validate.tables import Source, find_source, read_table
from pipelines.runtime.environment import variable
from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from pipelines.runtime.layout import Layout


def main(config: dict[str, object], layout: Layout) -> int:
    """Check every table, write report and docs.

    Raises:
        JobError: an expectation as grave as `fail_on` is not met, or a suite or a table
            cannot be used.
    """
    fail_on = Severity.parse(config.get("fail_on") or "critical", "fail_on")
    suites = _suites(config)
    sources = {name: find_source(name, _folder(name, layout)) for name in suites}
    report, docs = _output("report", layout), _output("docs", layout)
    tables = _check(suites, sources, docs)
    text = json.dumps(build_report(tables, fail_on), indent=2, ensure_ascii=False, allow_nan=False)
    (report / "report.json").write_text(text + "\n", encoding="utf-8")
    write_index(tables, docs)
    failure = failure_text(tables, fail_on)
    if failure is not None:
        raise JobError(failure)
    return 0


def _check(suites: dict[str, Suite], sources: dict[str, Source], docs: Path) -> list[TableOutcome]:
    from pipelines.programs.validate.checks import (  # noqa: PLC0415 - seconds, once all is there
        Checker,
        needed_columns,
    )

    checker = Checker(docs)
    prepared = {name: checker.prepare(name, suite) for name, suite in suites.items()}
    tables = []
    for name, suite in suites.items():
        source = sources[name]
        frame = read_table(source, needed_columns(suite, source))
        outcomes = checker.run(suite, prepared[name], source, frame)
        tables.append(
            TableOutcome(name, suite.file, len(frame), len(source.paths), tuple(outcomes))
        )
        _print(tables[-1])
    checker.write_docs()
    return tables


def _print(table: TableOutcome) -> None:
    met = sum(outcome.success for outcome in table.outcomes)
    print(f"{table.name}: {table.rows} rows, {met} of {len(table.outcomes)} expectations met")
    for outcome in table.outcomes:
        if not outcome.success:
            print(f"  not met: {describe(outcome)}")


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
