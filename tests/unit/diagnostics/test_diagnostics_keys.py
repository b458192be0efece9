"""Which keys of an object are unknown, and which are missing: a misspelt one is one mistake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.diagnostics.keys import compare_keys

KNOWN = ("LeftValue", "RightValue", "Type")


@pytest.mark.parametrize(
    ("given_", "unknown", "missing"),
    [
        ({"LeftValue", "RightValue", "Type"}, {}, ()),
        ({"LeftValue", "RightValeu", "Type"}, {"RightValeu": "did you mean `RightValue`?"}, ()),
        ({"LeftValue", "Type"}, {}, ("RightValue",)),
        (
            {"LeftValue", "Comment", "Type"},
            {"Comment": "write `LeftValue`, `RightValue` or `Type`"},
            ("RightValue",),
        ),
        (
            {"LeftValue", "LeftValues", "RightValue", "Type"},
            {"LeftValues": "did you mean `LeftValue`?"},
            (),
        ),
    ],
)
def test_a_misspelt_required_key_is_one_mistake(
    given_: set[str], unknown: dict[str, str], missing: tuple[str, ...]
) -> None:
    """What stands there already is meant only where nothing else can be."""
    lacking = [key for key in KNOWN if key not in given_]
    mistakes = compare_keys(given_, KNOWN, lacking)
    assert (mistakes.unknown, mistakes.missing) == (unknown, missing)


@given(st.sets(st.text("abcDEF", max_size=5)), st.sets(st.text("abcDEF", min_size=1, max_size=5)))
def test_every_missing_key_is_missing_or_meant(keys: set[str], known: set[str]) -> None:
    """And nothing that is known is unknown."""
    lacking = sorted(known - keys)
    mistakes = compare_keys(sorted(keys), sorted(known), lacking)
    assert mistakes.unknown.keys() == keys - known
    assert set(mistakes.missing) | {*mistakes.meant.values()} >= set(lacking)
    assert all(mistakes.means(key) for key in lacking if key not in mistakes.missing)
    assert known.issuperset(mistakes.meant.values())
