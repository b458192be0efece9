"""Expressions that take exponential time are told from those that only look so."""

from __future__ import annotations

import multiprocessing
import re
import signal

import pytest

from pipelines.grammar.patterns import compiled, exponential

SLOW = (
    r"(a+)+b",
    r"(a*)*b",
    r"(.*?)*y",
    r"(\w+\s?)+=",
    r"(.*,)+x",
    r"([^,]*,?)*;",
    r"(a|aa)+b",
    r"((ab)+)+c",
    r"(ab|ab)+c",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(?:\s*\d*)*x",
    r"(x+x+)+y",
    r"loss: (?<value>(\d+)+)end",
    r"(a{1,30})+b",
    r"((a+)+)?b",
    r"(\d+|\d+\.\d+)+x",
)
QUICK = (
    r"auc=([0-9.]+)",
    r"validation auc=([0-9.]+)",
    r".*loss=(\d+)",
    r"(\d+\.)+x",
    r"(foo|far)+x",
    r"([^=]+=)+x",
    r"(a?b)+c",
    r"(?:,\s*\w+)+;",
    r"(?:ab)+c",
    r"(a{1,3}){2}b",
    r"(a+)+",
    r"(a*+)*b",
    r"(?>a+)+b",
    r"\[(\d+)/(\d+)\] loss ([0-9.e+-]+)$",
    r"step (\d+).*?loss: (-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s",
    r"(a+)+(b",
    r"",
)


@pytest.mark.parametrize("expression", SLOW)
def test_an_expression_that_explodes_is_found_with_a_text_that_shows_it(expression: str) -> None:
    """The text, with something behind it that does not match, is not searched in time."""
    text = exponential(expression)
    assert text is not None
    fork = multiprocessing.get_context("fork")
    search = fork.Process(target=_search, args=(expression, f"{text * 2}\0loss: {text * 2}\0"))
    search.start()
    search.join()
    assert search.exitcode == -signal.SIGVTALRM


def _search(expression: str, text: str) -> None:
    """Search, for a tenth of a second of this process's own time, however busy the machine is."""
    pattern = compiled(expression)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.1)
    pattern.search(text)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)


@pytest.mark.parametrize("expression", QUICK)
def test_an_expression_that_repeats_in_one_way_only_is_no_danger(expression: str) -> None:
    """Neither one that nothing follows, that gives nothing back, or that is not valid."""
    assert exponential(expression) is None


def test_what_is_no_expression_is_an_error_of_the_expression() -> None:
    """Whatever Python's own reader raises."""
    for wrong in ("(", "a{99999999999}", "(" * 5000):
        with pytest.raises(re.error):
            compiled(wrong)
        assert exponential(wrong) is None


def test_python_warns_of_no_expression_that_somebody_wrote() -> None:
    """`[[` may become a nested set in some Python to come; today it is a letter."""
    assert compiled("loss=[[0-9]+").search("loss=[12")
    assert exponential("([[a]+)+b") is not None
