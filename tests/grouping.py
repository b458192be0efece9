"""Which tests one worker runs: they share what is made once per worker and takes seconds.

The marker `xdist_group` would say so at the tests. pytest 9.2 forms their ids without what xdist
3.8 writes into them for it, so that the marker groups nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from xdist.scheduler import LoadScopeScheduling

GROUPS: Final[Mapping[str, str]] = {
    "tests/acceptance/": "an account",
    "tests/conformance/test_conformance_expectations.py": "Great Expectations",
    "tests/functional/test_init.py": "an environment with the wheel",
    "tests/unit/programs/test_programs_validate": "Great Expectations",
    "tests/unit/test_generated.py::test_the_table_of_expectations": "Great Expectations",
}
"""How the ids of tests begin, and what they share."""


def group_of(nodeid: str) -> str:
    """Return what a test shares with others; its own id where it shares nothing."""
    return next((name for start, name in GROUPS.items() if nodeid.startswith(start)), nodeid)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives each group to one worker, and all other tests one by one."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
