"""Metrics of a training job: the regular expressions of its request, read over its logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipelines.json_types import JsonObject


def final_metrics(
    definitions: Sequence[JsonObject], logs: Sequence[Path], timestamp: float
) -> list[JsonObject]:
    """Find each metric's last value, as `FinalMetricDataList` has it.

    Args:
        definitions: `MetricDefinitions`: `Name`, and `Regex` whose first group is the number.
        logs: the hosts' logs; a later host's value replaces an earlier one's.
        timestamp: seconds since 1970 that are given as the values' time.
    """
    patterns = [(one["Name"], re.compile(one["Regex"])) for one in definitions]
    values: dict[str, float] = {}
    for line in _lines(logs) if patterns else ():
        for name, pattern in patterns:
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
