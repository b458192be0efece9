"""Plain scalars are read by YAML 1.2's core schema, not by PyYAML's YAML 1.1."""

from __future__ import annotations

import math

import pytest

from pipelines.document import parse
from pipelines.json_types import Json

_CORE: dict[str, Json] = {
    "1e-3": 0.001, "1E5": 1e5, "0.70": 0.7, ".5": 0.5, "1.": 1.0, "-1.5e+3": -1500.0,
    "no": "no", "on": "on", "yes": "yes", "Off": "Off", "y": "y",
    "true": True, "True": True, "TRUE": True, "false": False, "tRUE": "tRUE",
    "012": 12, "0o14": 12, "0x1F": 31, "-0": 0, "+7": 7, "0b1": "0b1", "1_000": "1_000",
    "12:30": "12:30", "2024-01-01": "2024-01-01", "1.2.3": "1.2.3", "08": 8,
    "~": None, "null": None, "Null": None, "": None, "nULL": "nULL", "None": "None",
    ".inf": math.inf, "-.INF": -math.inf, "inf": "inf", "NaN": "NaN",
    "'1'": "1", '"true"': "true", "=": "=", "-": None, "+": "+", ".": ".", "1e": "1e",
}  # fmt: skip


@pytest.mark.parametrize("text", sorted(set(_CORE) - {"-"}))
def test_a_scalar_has_the_value_of_the_core_schema(text: str) -> None:
    """The type counts too: 1 is not true, and 1.0 is not 1."""
    document = parse(f"a: {text}\n", "p.yaml").document
    assert document is not None
    value = document.data["a"]
    assert value == _CORE[text]
    assert type(value) is type(_CORE[text])


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number_has_three_spellings(text: str) -> None:
    """As the core schema says."""
    document = parse(f"a: {text}\n", "p.yaml").document
    assert document is not None
    assert math.isnan(document.data["a"])


def test_keys_are_strings_where_yaml_1_1_has_booleans() -> None:
    """`on:` and `no:` are the traps of YAML 1.1."""
    document = parse("on: 1\nno: 2\nyes: 3\n", "p.yaml").document
    assert document is not None
    assert document.data == {"on": 1, "no": 2, "yes": 3}


def test_explicit_keys_win_over_merged_ones() -> None:
    """Of several merged mappings the first one wins; nested merges count."""
    text = (
        "x-a: &a {k: a, l: a}\nx-b: &b {<<: *a, l: b, m: b}\n"
        "c:\n  k: c\n  <<: [*b, *a]\nd:\n  <<: *a\n"
    )
    document = parse(text, "p.yaml").document
    assert document is not None
    assert document.data["c"] == {"k": "c", "l": "b", "m": "b"}
    assert document.data["d"] == {"k": "a", "l": "a"}
    assert document.spans["d", "k"].value[0] == 1
    assert document.spans["c", "m"].value[0] == 2
