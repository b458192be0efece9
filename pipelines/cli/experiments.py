"""An experiment as text: its members in a table, with a bar for each value."""

from __future__ import annotations

from typing import Final

from pipelines.cli.progress.words import duration
from pipelines.cli.tables import columns
from pipelines.json_types import JsonObject
from pipelines.results.experiments import Experiment
from pipelines.results.metrics import written

_WIDTH: Final = 20
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def experiment_text(experiment: Experiment) -> str:
    """Write an experiment, the best member marked."""
    values = {one["step"]: experiment.value(one) for one in experiment.members}
    largest = max((abs(value) for value in values.values() if value is not None), default=0.0)
    rows = [
        (
            f"{one['step']}{' (best)' if one['step'] == experiment.best else ''}",
            *experiment.texts(one),
            "" if (value := values[one["step"]]) is None else written(value),
            _bar(value, largest),
            str(one["status"]),
            _time(one),
        )
        for one in experiment.members
    ]
    header = ("member", *experiment.parameters, experiment.metric, "", "status", "time")
    return f"{experiment.step}: {experiment.goal} {experiment.metric}\n{columns(header, rows)}"


def _bar(value: float | None, largest: float) -> str:
    """Draw a bar as long as the value is large; what is below zero is drawn alike."""
    if value is None or not largest:
        return ""
    eighths = round(abs(value) / largest * _WIDTH * len(_EIGHTHS))
    whole, rest = divmod(eighths, len(_EIGHTHS))
    return "█" * whole + _EIGHTHS[rest].strip()


def _time(member: JsonObject) -> str:
    seconds = member.get("seconds")
    return duration(float(seconds)) if isinstance(seconds, int | float) else ""
