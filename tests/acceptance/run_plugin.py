"""The pytest plugin of a run in an account: it gives the target and collects what was seen."""

from __future__ import annotations

from tests.acceptance.target import Target


class AccountRun:
    """A run of the suite in an account."""

    NAME = "pipelines-acceptance-account"

    def __init__(self, target: Target) -> None:
        self.target = target
