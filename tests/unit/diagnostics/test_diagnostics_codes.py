"""The long forms of the codes."""

from __future__ import annotations

import re

import pytest

from pipelines.diagnostics.codes import all_codes, explain
from pipelines.errors import UsageError

_CODES = all_codes()


@pytest.mark.parametrize("code", _CODES)
def test_every_code_has_a_title_and_a_text(code: str) -> None:
    """The first line is the title; what follows is not empty."""
    assert re.fullmatch(r"SP\d{3}", code)
    known = explain(code)
    assert known.code == code
    assert known.title
    assert not known.title.startswith("#")
    assert not known.title.endswith(".")
    assert len(known.text) > 80


@pytest.mark.parametrize("asked", ["SP103", "sp103", " 103 "])
def test_a_code_may_be_asked_for_in_several_ways(asked: str) -> None:
    """Case and the letters do not matter."""
    assert explain(asked).title == "A key stands twice in one mapping"


@pytest.mark.parametrize("asked", ["SP100", "SP1", "?", "SP99999999999", "²"])
def test_an_unknown_code_names_the_nearest(asked: str) -> None:
    """The nearest by number; never a traceback."""
    with pytest.raises(UsageError, match="there is no code") as caught:
        explain(asked)
    assert str(caught.value.remedy).count("SP") == 3


def test_the_nearest_codes_are_near() -> None:
    """Of SP100 they are the first three."""
    with pytest.raises(UsageError) as caught:
        explain("SP100")
    assert caught.value.remedy == "the nearest are `SP101`, `SP102` and `SP103`"
