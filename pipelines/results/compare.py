"""Executions side by side: what they were given, what they ran and read, what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipelines.frozen import frozen
from pipelines.json_types import Json
from pipelines.programs.select.members import row_text
from pipelines.results.data import RanCode, bundled_files, code_run, data_read
from pipelines.results.experiments import experiments_in
from pipelines.results.metrics import metrics_of, written
from pipelines.results.outputs import outputs_of, reports_of
from pipelines.results.run import ExecutionResult
from pipelines.results.source import ResultSource
from pipelines.results.validations import validated_tables

_HASH: Final = 8


@frozen
class Row:
    """One line of a comparison.

    Args:
        section: parameters, code, data, metrics, validation, experiments, steps or times.
        name: what is compared.
        values: one of each execution; None where it has none.
    """

    section: str
    name: str
    values: tuple[str | float | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the executions differ in it."""
        return len(set(self.values)) > 1

    def cells(self) -> tuple[str, ...]:
        """Write the values."""
        return tuple(
            "-" if value is None else value if isinstance(value, str) else written(value)
            for value in self.values
        )


@frozen
class Compared:
    """Executions, and the lines of their comparison."""

    runs: tuple[ExecutionResult, ...]
    rows: tuple[Row, ...]


def compare(source: ResultSource, runs: Sequence[ExecutionResult]) -> Compared:
    """Compare executions, of one pipeline or of several.

    Code is compared by the contents of bundles: where two differ, a line for each file.
    """
    reports = [reports_of(source, outputs_of(source, run)) for run in runs]
    both = list(zip(runs, reports, strict=True))
    codes = [code_run(run) for run in runs]
    sections: tuple[tuple[str, Sequence[Mapping[str, str | float]]], ...] = (
        ("parameter", [run.parameters for run in runs]),
        ("data", [_data(source, run, report) for run, report in both]),
        ("validation", [_validations(report) for report in reports]),
        ("metric", [metrics_of(run, report) for run, report in both]),
        ("experiment", [_experiments(report) for report in reports]),
        ("best", [_chosen(run) for run in runs]),
        ("registered", [{s.name: s.version for s in run.steps if s.version} for run in runs]),
        ("status", [{s.name: s.status for s in run.steps} for run in runs]),
        ("seconds", [_times(run) for run in runs]),
    )
    rows = [row for section, values in sections for row in _rows(section, values)]
    code = [row for step in _names(codes) for row in _code(source, step, codes)]
    place = next((i for i, row in enumerate(rows) if row.section != "parameter"), len(rows))
    return Compared(tuple(runs), (*rows[:place], *code, *rows[place:]))


def _names(values: Sequence[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for one in values for name in one))


def _rows(section: str, values: Sequence[Mapping[str, str | float]]) -> Iterator[Row]:
    for name in _names(values):
        yield Row(section, name, tuple(one.get(name) for one in values))


def _code(source: ResultSource, step: str, codes: Sequence[Mapping[str, RanCode]]) -> Iterator[Row]:
    """Compare the bundles of a step: one line where they are the same, else one for each file."""
    found = [one.get(step) for one in codes]
    prints = tuple(None if one is None else one.fingerprint[:_HASH] for one in found)
    if len(set(prints)) == 1:
        yield Row("code", step, prints)
        return
    files = [{} if one is None else bundled_files(source, one) for one in found]
    rows = [Row("code", f"{step}: {name}", tuple(f.get(name) for f in files))
            for name in _names(files)]  # fmt: skip
    yield from [row for row in rows if row.differs] or [Row("code", step, prints)]


def _data(
    source: ResultSource, run: ExecutionResult, reports: Mapping[str, Json]
) -> dict[str, str]:
    shown: dict[str, str] = {}
    for one in data_read(source, run, reports):
        shown[one.name] = f"{shown[one.name]}, {one.shown}" if one.name in shown else one.shown
    return shown


def _chosen(run: ExecutionResult) -> dict[str, str]:
    """Return the hyperparameters that steps have found to be the best."""
    return {
        f"{step.name}.{name}": value
        for step in run.steps
        if step.type is not None and step.type.trials is not None
        for name, value in step.type.trials.chosen(step.described).items()
    }


def _validations(reports: Mapping[str, Json]) -> dict[str, str]:
    return {
        f"{address}.{table.name}": f"{table.passed} of {len(table.expectations)} passed"
        for address, report in reports.items()
        for table in validated_tables(report)
    }


def _experiments(reports: Mapping[str, Json]) -> dict[str, str | float]:
    """Return the value of each member by its row, in whatever order the matrix has its axes."""
    shown: dict[str, str | float] = {}
    for experiment in experiments_in(reports):
        for member in experiment.members:
            row = row_text(dict(sorted(member["parameters"].items())))  # in whatever order
            value = experiment.value(member)
            name = f"{experiment.step}: {row}: {experiment.metric}"
            shown[name] = str(member["status"]) if value is None else value
    return shown


def _times(run: ExecutionResult) -> dict[str, str | float]:
    """Return how long each step took; one that was reused took none of this execution."""
    return {
        step.name: f"from {step.reused_from}" if step.reused_from else round(step.seconds, 1)
        for step in run.steps
        if step.seconds is not None
    }
