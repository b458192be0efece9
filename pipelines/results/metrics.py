"""The numbers of an execution: final metrics of trainings, and those of reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from pipelines.json_types import Json
from pipelines.results.experiments import experiments_in
from pipelines.results.run import ExecutionResult
from pipelines.results.validations import validated_tables

_DEPTH: Final = 2
"""How deep numbers of a report are taken for metrics: slices of slices are not."""

_MOST: Final = 200


def metrics_of(run: ExecutionResult, reports: Mapping[str, Json]) -> dict[str, float]:
    """Return every metric, named as the spec refers to it: `train.metrics.auc`.

    Args:
        run: the execution.
        reports: its reports, by address; those of validations count no metrics.
    """
    found: dict[str, float] = {}
    for step in run.steps:
        finals = step.type.metrics_of(step.described) if step.type is not None else {}
        found.update({f"{step.name}.{name}": value for name, value in finals.items()})
        for address, report in reports.items():
            if address.rpartition(".")[0] == step.name and not validated_tables(report):
                found.update(list(_numbers(report, address, _DEPTH))[:_MOST])
    for experiment in experiments_in(reports):
        found.update(experiment.best_metrics)
    return found


def written(value: float) -> str:
    """Write a metric: a count whole, anything else with four significant digits."""
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def _numbers(value: Json, place: str, depth: int) -> Iterator[tuple[str, float]]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        with suppress(OverflowError):  # an integer of more than 308 digits
            yield place, float(value)
    elif isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield from _numbers(inner, f"{place}.{key}", depth - 1)
