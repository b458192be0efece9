"""Searches for metrics: by a process that is kept, and ended where an expression ends nowhere."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from pipelines.execution.searching import Searched, searching

if TYPE_CHECKING:
    from pathlib import Path

ENDLESS = ("bad", "((a+)+)b")


def test_one_search_after_the_other_has_its_own_answers(tmp_path: Path) -> None:
    """Of files and of texts; the last value of each, or all of them."""
    log = tmp_path / "log"
    log.write_text("auc=0.5\nauc=0.7 loss=1e-3\n")
    patterns = [("auc", r"auc=(\S+)"), ("loss", r"loss=(\S+)"), ("never", r"never=(\S+)")]
    with searching(Searched(patterns, [log])) as search:
        found = {one.name: list(one.values) for one in search.found()}
    assert found == {"auc": [0.7], "loss": [0.001], "never": []}
    with searching(Searched(patterns[:1], [log], every=True)) as search:
        assert [one.values for one in search.found()] == [[0.5, 0.7]]
    with searching(Searched(patterns[:1], text="auc=1\nauc=2")) as search:
        assert [one.values for one in search.found()] == [[2.0]]


def test_a_search_that_is_given_up_leaves_its_answer_to_nobody() -> None:
    """The next one has a process of its own, and its own answer."""
    asked = count()
    with searching(Searched([ENDLESS], text="a" * 40 + "c")) as search:
        assert list(search.found(lambda: next(asked) > 1)) == []
        assert search.problem(ENDLESS[1]) == "reading the logs takes too long"
    with searching(Searched([("auc", "auc=(.)")], text="auc=3")) as search:
        assert [one.values for one in search.found()] == [[3.0]]
