"""Of tests that are the same in both ways of isolation, every push runs one way."""

from __future__ import annotations

import pytest

from pipelines.backends.local.jobs.isolation import probe
from tests.everything import EVERYTHING

_WAYS = {"namespaces", "rewrite"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep those of the way that jobs run in here; `make everything` runs both."""
    if EVERYTHING:
        return
    left_out = [item for item in items if item.get_closest_marker("one_way") and _is_other(item)]
    config.hook.pytest_deselected(items=left_out)
    gone = set(left_out)
    items[:] = [item for item in items if item not in gone]


def _is_other(item: pytest.Item) -> bool:
    """Return whether a test runs its jobs in the way that is not this machine's own."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    ways = _WAYS & {one for one in params.values() if isinstance(one, str)}
    return bool(ways) and probe().which not in ways
