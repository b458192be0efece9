"""Tests that share something costly are run by one worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdist.scheduler import LoadGroupScheduling

from tests.grouping import GROUPS, GroupScheduling, group_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("start", GROUPS)
def test_every_group_has_its_tests(start: str) -> None:
    """A file that was renamed would be in no group, and nobody would notice."""
    path, _, name = start.partition("::")
    found = [ROOT / path] if (ROOT / path).exists() else list(ROOT.glob(f"{path}*.py"))
    assert found
    assert f"def {name}" in (found[0].read_text("utf-8") if name else "def ")


def test_other_tests_are_given_out_one_by_one() -> None:
    """Also those of one file and one function."""
    ids = ("tests/unit/a.py::test_x[1]", "tests/unit/a.py::test_x[2]")
    assert [group_of(one) for one in ids] == [*ids]


def test_a_worker_is_chosen_by_the_method_that_xdists_own_groups_override() -> None:
    """It is not public: a release that has another would give out all tests one by one."""
    assert "_split_scope" in vars(LoadGroupScheduling)
    assert "_split_scope" in vars(GroupScheduling)
