"""The pytest plugins of a run in an account: what it would use, and what was seen of each fact."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.acceptance.events import NoEventsError
from tests.acceptance.report import Seen, Verdict
from tests.acceptance.target import Target, is_beside_the_fact


class Uses:
    """Collects what the tests of the suite use of an account; none of them is run."""

    def __init__(self) -> None:
        self.found: list[tuple[str, float]] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read the marks of the tests."""
        for item in session.items:
            self.found += [mark.args for mark in item.iter_markers("spends")]


class AccountRun:
    """A run of the suite in an account: gives the target, and keeps what was seen."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.seen: dict[str, Seen] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep the outcome of a test of a fact, in the terms of facts."""
        report = yield
        fact = item.get_closest_marker("fact")
        failed = report.outcome != "passed"
        if fact is not None and (report.when == "call" or (report.when == "setup" and failed)):
            unverified = item.get_closest_marker("unverified") is not None
            verdict, what = _verdict(report, call)
            self.seen[item.nodeid] = Seen(fact.args[0], item.name, unverified, verdict, what)
        return report


def account_run(config: pytest.Config) -> AccountRun | None:
    """Return the run in an account that these tests are part of; None on this machine."""
    plugins = config.pluginmanager.get_plugins()
    return next((one for one in plugins if isinstance(one, AccountRun)), None)


def _verdict(report: pytest.TestReport, call: pytest.CallInfo[Any]) -> tuple[Verdict, str]:
    if report.outcome == "passed":
        return Verdict.HOLDS, ""
    error = None if call.excinfo is None else call.excinfo.value
    what = " ".join(str(error).split())[:600]
    match error:
        case _ if report.outcome == "skipped":
            return Verdict.NOT_TRIED, what
        case ClientError() if is_beside_the_fact(error):
            return Verdict.NOT_TRIED, what
        case BotoCoreError() | NoEventsError():
            return Verdict.NOT_TRIED, what
        case _:
            return Verdict.DIFFERS, what or type(error).__name__
