"""Reports of experiments → tables, member by member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelines.results.experiments import Experiment
from pipelines.results.metrics import written
from pipelines.results.page.markup import Html, element, join, table
from pipelines.results.page.words import seconds


def experiments(found: Iterable[Experiment]) -> Html:
    """Write a table of each experiment, the best member marked."""
    return join(_table(one) for one in found)


def _table(experiment: Experiment) -> Html:
    header = ("Member", *experiment.parameters, experiment.metric, "Status", "Took")
    caption = f"Members of {experiment.step}: {experiment.goal} {experiment.metric}"
    return table(caption, header, _rows(experiment))


def _rows(experiment: Experiment) -> Iterator[tuple[str, ...]]:
    for one in experiment.members:
        best, value = one["step"] == experiment.best, experiment.value(one)
        completed = one["status"] == "Completed"
        yield (
            element("strong", f"{one['step']} (best)") if best else str(one["step"]),
            *experiment.texts(one),
            "" if value is None else written(value),
            element("span", str(one["status"]), class_="good" if completed else "bad"),
            seconds(one.get("seconds")),
        )
