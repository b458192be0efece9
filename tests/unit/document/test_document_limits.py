"""A small file cannot take a large machine down."""

from __future__ import annotations

import pytest

from pipelines.document import DocumentLimits, parse


def _codes(text: str | bytes, limits: DocumentLimits | None = None) -> list[str]:
    return [found.code for found in parse(text, "p.yaml", limits or DocumentLimits()).findings]


def test_an_alias_bomb_is_refused() -> None:
    """Nine levels of nine aliases would be 387 million values."""
    lines = ["a0: &a0 x"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert _codes("\n".join(lines)) == ["SP107"]


def test_a_bomb_of_merge_keys_is_refused() -> None:
    """A chain of merges in which each adds a key grows with the square of its length."""
    lines = ["a0: &a0 {k0: 1}"]
    lines += [f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}" for n in range(1, 100)]
    assert _codes("\n".join(lines), DocumentLimits(alias_nodes=1000)) == ["SP107"]


def test_repeated_merges_of_the_same_mapping_cost_nothing() -> None:
    """Merging ten times what was merged ten times is ten keys, not ten to the power of nine."""
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 10)]
    assert _codes("\n".join(lines)) == []


def test_a_long_chain_of_aliases_is_refused() -> None:
    """Aliases count as levels: the stack of the interpreter is never at risk."""
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000)]
    assert _codes("\n".join(lines)) == ["SP107"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused(opening: str) -> None:
    """Ten thousand brackets end at the sixty-fifth."""
    assert _codes("k:\n " + opening * 10_000) == ["SP108"]


def test_a_large_file_is_refused_and_the_limit_is_a_parameter() -> None:
    """Bytes count, not characters."""
    text = "a: " + "é" * 100
    assert _codes(text, DocumentLimits(size=202)) == ["SP108"]
    assert _codes(text.encode(), DocumentLimits(size=202)) == ["SP108"]
    assert _codes(text, DocumentLimits(size=203)) == []


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    """Python itself refuses to convert it; in quotes it is text."""
    assert _codes("a: " + "9" * 5000) == ["SP108"]
    assert _codes("a: '" + "9" * 5000 + "'") == []


def test_a_cycle_is_refused() -> None:
    """A value cannot contain itself, directly or through a mapping."""
    assert _codes("a: &a [*a]") == ["SP107"]
    assert _codes("a: &a {b: {c: *a}}") == ["SP107"]
