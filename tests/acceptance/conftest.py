"""The target of the acceptance tests: the local SageMaker, unless a run in an account gives one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.acceptance.events import Events, NoEventsError
from tests.acceptance.local_target import local_target
from tests.acceptance.run_plugin import account_run
from tests.acceptance.target import Target
from tests.service_models import parsed_once


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what only an account can answer."""
    account = account_run(config)
    for item in items:
        only = item.get_closest_marker("account_only")
        if only is not None and account is None:
            item.add_marker(pytest.mark.skip(reason=f"account only: {only.args[0]}"))


@pytest.fixture(scope="session")
def events(target: Target) -> Iterator[Events]:
    """Give the events of the run; where none may be received, only tests of them notice."""
    with ExitStack() as stack:
        try:
            source = stack.enter_context(target.receives())
        except (BotoCoreError, ClientError, NoEventsError) as refused:
            yield Events(None, refused, target.patience)
        else:
            yield Events(source, None, target.patience)


@pytest.fixture(scope="session")
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """Give the SageMaker that the suite talks to."""
    account = account_run(request.config)
    if account is not None:
        yield account.target
        return
    with parsed_once(), local_target(tmp_path_factory.mktemp("acceptance") / ".pipelines") as local:
        yield local
