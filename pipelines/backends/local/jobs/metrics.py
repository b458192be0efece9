"""Metrics of a training job: the regular expressions of its request, read over its logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.spec import JobRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pipelines.json_types import JsonObject


_JAVA_NAME = re.compile(r"\(\?<(?![=!])")
"""How the service's expressions name a group; Python writes `(?P<`."""


def metric_patterns(request: JsonObject) -> dict[str, re.Pattern[str]]:
    """Read `MetricDefinitions`: each has a `Name`, and a `Regex` whose first group is the number.

    Raises:
        JobRefusedError: a regular expression is not valid.
    """
    definitions = request["AlgorithmSpecification"].get("MetricDefinitions") or []
    patterns = {}
    for one in definitions:
        try:
            patterns[one["Name"]] = re.compile(_JAVA_NAME.sub("(?P<", one["Regex"]))
        except re.error as problem:
            raise JobRefusedError(
                f"the regular expression `{one['Regex']}` of metric `{one['Name']}` is not"
                f" valid: {problem}"
            ) from None
    return patterns


def final_metrics(
    patterns: Mapping[str, re.Pattern[str]], logs: Sequence[Path], timestamp: float
) -> list[JsonObject]:
    """Find each metric's last value, as `FinalMetricDataList` has it.

    Args:
        patterns: the result of `metric_patterns`.
        logs: the hosts' logs; a later host's value replaces an earlier one's.
        timestamp: the time recorded for the values, in seconds since 1970.
    """
    values: dict[str, float] = {}
    for line in _lines(logs) if patterns else ():
        for name, pattern in patterns.items():
            for match in pattern.finditer(line):
                number = _number(match)
                if number is not None:
                    values[name] = number
    return [
        {"MetricName": name, "Value": value, "Timestamp": timestamp}
        for name, value in values.items()
    ]


def _number(match: re.Match[str]) -> float | None:
    try:
        return float(match[1])
    except (IndexError, TypeError, ValueError):
        return None


def _lines(logs: Sequence[Path]) -> Iterator[str]:
    for log in logs:
        with log.open(encoding="utf-8", errors="replace") as file:
            yield from file
