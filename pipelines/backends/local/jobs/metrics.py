"""Metrics of a training job: the regular expressions of its request, read over its logs."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.execution import searching
from pipelines.frozen import frozen
from pipelines.grammar.patterns import compiled
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_WALL_SECONDS: Final = 120.0


@frozen
class FoundMetrics:
    """What was found in a job's logs.

    Args:
        values: the last value of each metric, as `FinalMetricDataList` has it.
        notes: which metrics were given up, and why.
    """

    values: list[JsonObject]
    notes: tuple[str, ...] = ()


def metric_patterns(request: JsonObject) -> dict[str, re.Pattern[str]]:
    """Read `MetricDefinitions`: each has a `Name`, and a `Regex` whose first group is the number.

    Raises:
        JobRefusedError: a regular expression is not valid.
    """
    definitions = request["AlgorithmSpecification"].get("MetricDefinitions") or []
    patterns = {}
    for one in definitions:
        try:
            patterns[one["Name"]] = compiled(one["Regex"])
        except re.error as problem:
            raise JobRefusedError(
                f"the regular expression `{one['Regex']}` of metric `{one['Name']}` is not"
                f" valid: {problem}"
            ) from None
    return patterns


def final_metrics(
    patterns: Mapping[str, re.Pattern[str]], logs: Sequence[Path], stop: threading.Event
) -> FoundMetrics:
    """Find each metric's last value.

    Args:
        patterns: the result of `metric_patterns`.
        logs: the hosts' logs; a later host's value replaces an earlier one's.
        stop: set when the execution is being stopped: nothing more is looked for then.
    """
    left = [(name, pattern.pattern) for name, pattern in patterns.items()]
    values, notes = list[JsonObject](), list[str]()
    deadline = time.monotonic() + _WALL_SECONDS

    def is_stopped() -> bool:
        return stop.is_set() or time.monotonic() >= deadline

    while left:
        with searching.searching(searching.Searched(tuple(left), logs)) as search:
            for one in search.found(is_stopped):
                left.pop(0)
                now = time.time()
                values += [
                    {"MetricName": one.name, "Value": value, "Timestamp": now}
                    for value in one.values
                ]
                if one.cut:
                    notes.append(f"metric `{one.name}`: {searching.CUT}")
            if not left or stop.is_set():
                break
            name, expression = left.pop(0)
            notes.append(f"metric `{name}` was given up: {search.problem(expression)}")
    return FoundMetrics(values, tuple(notes))
