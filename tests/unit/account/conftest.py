"""Fixtures of the tests of accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.account.stacks import following
from tests.unit.account.stubbed import StubbedAccount


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubbedAccount]:
    """Give an account; every answer that is given has to be asked for."""
    monkeypatch.setattr(following, "_PAUSE", 0.0)
    account = StubbedAccount()
    yield account
    account.require_all_called()
