"""The trials of tuning steps on a page: a picture of how they went, and a table of the best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pipelines.results.metrics import written
from pipelines.results.page.charts import trial_chart
from pipelines.results.page.markup import Html, element, join, table
from pipelines.results.page.words import seconds
from pipelines.results.trials import Tried, TriedJobs

_MOST: Final = 50


def trials(steps: Iterable[TriedJobs]) -> Html:
    """Write what each step tried; nothing where none tried anything."""
    return join(piece for step in steps if step.jobs for piece in _of_step(step))


def _of_step(step: TriedJobs) -> Iterator[Html]:
    yield element("h3", f"{step.step}: {len(step.jobs)} training jobs, {step.metric} {step.goal}d")
    values = [one.value for one in step.jobs]
    if any(value is not None for value in values):
        yield element("figure", trial_chart(step))
    header = ("Trial", *step.names, step.metric, "Status", "Took")
    rows = [_row(step, one) for one in step.ranked[:_MOST]]
    left = len(step.jobs) - len(rows)
    more = f", without the {left} worst" if left else ""
    yield table(f"Trials of {step.step}, the best first{more}", header, rows)


def _row(step: TriedJobs, one: Tried) -> tuple[str, ...]:
    number = str(step.jobs.index(one) + 1)
    value = "" if one.value is None else written(one.value)
    took = "" if one.seconds is None else seconds(one.seconds)
    return (number, *(one.tuned.get(name, "") for name in step.names), value, one.status, took)
