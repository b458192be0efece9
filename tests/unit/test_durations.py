"""The report of long tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pytest

from tests.durations import Durations


def _report(
    test: str, when: Literal["setup", "call"], seconds: float, keywords: Mapping[str, Literal[1]]
) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=test,
        location=("test_it.py", 1, test),
        keywords=keywords,
        outcome="passed",
        longrepr=None,
        when=when,
        duration=seconds,
    )


def test_a_test_over_the_limit_is_listed_with_its_seconds() -> None:
    """Set-up counts too; the longest comes first; what stays below the limit is not listed."""
    durations = Durations(limit=10)
    for test, seconds in (("quick", 4.0), ("long", 6.0), ("longest", 9.0)):
        durations.pytest_runtest_logreport(_report(test, "setup", seconds, {}))
        durations.pytest_runtest_logreport(_report(test, "call", 5.0, {}))
    assert list(durations.unmarked()) == ["14.0s longest", "11.0s long"]


def test_a_test_that_is_marked_slow_is_not_listed() -> None:
    """The marker says already that it takes long."""
    durations = Durations(limit=10)
    durations.pytest_runtest_logreport(_report("marked", "call", 60.0, {"slow": 1}))
    assert list(durations.unmarked()) == []
