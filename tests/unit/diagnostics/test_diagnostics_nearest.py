"""Facts about "did you mean"."""

from __future__ import annotations

import pytest

from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import counted, quoted, suggestion


@pytest.mark.parametrize(
    ("word", "candidates", "meant"),
    [
        ("instance_cout", ["instance_type", "instance_count", "inputs"], "instance_count"),
        ("trian", ["training", "train", "tuning"], "train"),
        ("train", ["training", "tuning"], "training"),
        ("Instance-Count", ["instance_count"], "instance_count"),
        ("proccessing", ["processing", "training"], "processing"),
        ("gpu", ["cpu", "memory"], "cpu"),
        ("hyperparams", ["hyperparameters", "parameters"], "hyperparameters"),
        ("ProcessingOutputs", ["ProcessingOutputConfig", "RoleArn"], "ProcessingOutputConfig"),
        ("instances", ["instance_type", "instance_count"], None),
        ("zebra", ["instance_count", "inputs"], None),
        ("x", ["y"], None),
        ("", ["a"], None),
        ("ab", [], None),
        ("m5.large", ["ml.m5.large", "ml.m5.xlarge", "ml.c5.large"], "ml.m5.large"),
        ("large", ["ml.m5.large", "ml.c5.large"], None),
        ("a.b", ["ml.a.b"], None),
    ],
)
def test_the_nearest_word_is_found(word: str, candidates: list[str], meant: str | None) -> None:
    """One mistake per three letters is forgiven; case and dashes are none; far words are not."""
    assert nearest(word, candidates) == meant


def test_the_first_of_equally_near_words_wins() -> None:
    """The answer does not depend on anything but the order of the candidates."""
    assert nearest("test", ["rest", "best"]) == "rest"


def test_words_are_listed_in_backticks() -> None:
    """One, two, three and very many words."""
    assert quoted([]) == ""
    assert quoted(["a"]) == "`a`"
    assert quoted(["a", "b"]) == "`a` or `b`"
    assert quoted(["a", "b", "c"], "and") == "`a`, `b` and `c`"
    assert quoted([str(number) for number in range(14)]).endswith("`11` and 2 more")


def test_a_suggestion_names_the_meant_word_or_all_of_them() -> None:
    """A typo gets one word, a stranger gets the list, an empty list gets nothing."""
    assert suggestion("trian", ["train", "check"]) == "did you mean `train`?"
    assert suggestion("zebra", ["train", "check"]) == "write `train` or `check`"
    assert suggestion("zebra", []) is None


def test_a_count_carries_its_plural() -> None:
    """One is singular, everything else plural."""
    assert [counted(number, "error") for number in (0, 1, 2)] == ["0 errors", "1 error", "2 errors"]
