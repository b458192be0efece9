"""Reports the tests that take long and are not marked `slow`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest

LIMIT = 10.0
"""Seconds, set-up and tear-down included: what the marker `slow` promises."""


class Durations:
    """A pytest plugin that adds up what each test took and lists the long ones at the end.

    It never fails a run: a machine may be busy. With xdist only the controller has all reports.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._seconds: dict[str, float] = defaultdict(float)
        self._marked: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of a test."""
        self._seconds[report.nodeid] += report.duration
        if "slow" in report.keywords:
            self._marked.add(report.nodeid)

    def unmarked(self) -> Iterator[str]:
        """Yield a line for each test over the limit that is not marked, the longest first."""
        for seconds, test in sorted(((s, t) for t, s in self._seconds.items()), reverse=True):
            if seconds > self._limit and test not in self._marked:
                yield f"{seconds:.1f}s {test}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the list, if there is anything to list."""
        lines = list(self.unmarked())
        if lines:
            limit = f"{self._limit:g} seconds"
            terminalreporter.section(f"over {limit} and not marked `slow`")
            for line in lines:
                terminalreporter.write_line(line)
