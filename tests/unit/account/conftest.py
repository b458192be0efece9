"""Fixtures of the tests of accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.account.stacks import following
from tests.service_models import parsed_once
from tests.unit.account.stubbed import StubbedAccount


@pytest.fixture(scope="session", autouse=True)
def _service_models_are_parsed_once() -> Iterator[None]:
    with parsed_once():
        yield


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubbedAccount]:
    """Give an account; every answer that is given has to be asked for."""
    monkeypatch.setattr(following, "_PAUSE", 0.0)
    account = StubbedAccount()
    yield account
    account.require_all_called()
