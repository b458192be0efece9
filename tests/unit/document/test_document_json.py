"""JSON is read by the same parser, with the same result as Python's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.document import DocumentLimits, parse
from pipelines.json_types import Json

_DEFINITIONS = Path(__file__).parents[4] / "shared" / "definitions"
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(_TEXTS, _VALUES, max_size=4), st.sampled_from([None, 2, "\t"]))
def test_json_is_read_as_python_reads_it(data: Json, indent: int | str | None) -> None:
    """Any object, compact or indented, with escapes for everything outside of ASCII."""
    text = json.dumps(data, indent=indent)
    parsed = parse(text.replace("\x7f", "\\u007f"), "d.json")
    assert parsed.findings == ()
    assert parsed.document is not None
    assert parsed.document.data == data


@pytest.mark.skipif(not _DEFINITIONS.is_dir(), reason="the collected definitions are not here")
def test_real_definitions_are_read_as_python_reads_them() -> None:
    """Every pipeline definition that was collected."""
    files = sorted(_DEFINITIONS.glob("*.json"))
    assert files
    for file in files:
        text = file.read_text("utf-8")
        document = parse(text, file.name).document
        assert document is not None, file.name
        assert document.data == json.loads(text), file.name


def test_surrogate_pairs_keep_their_places() -> None:
    """An escaped emoji is one character; what follows on the line stands where it stands."""
    parsed = parse(r'{"a": "x\ud83d\ude00\\ud83d", "b": 1}', "d.json")
    assert parsed.document is not None
    assert parsed.document.data == {"a": "x\N{GRINNING FACE}\\ud83d", "b": 1}
    assert parsed.document.spans["b",].value == (1, 36, 1, 37)


def test_surrogate_escapes_outside_of_double_quotes_are_text() -> None:
    """Single quotes and plain text know no escapes."""
    parsed = parse("a: '\\ud83d\\ude00'\nb: \\ud83d\\ude00\n", "p.yaml")
    assert parsed.document is not None
    assert parsed.document.data == {"a": "\\ud83d\\ude00", "b": "\\ud83d\\ude00"}


def test_a_definition_of_a_megabyte_passes_with_its_own_limit() -> None:
    """SageMaker allows definitions of 1 MiB; whitespace may make the file larger."""
    data = {"Steps": [{"Name": f"step-{number}", "Type": "Fail"} for number in range(9000)]}
    text = json.dumps(data, indent=8)
    assert len(text) > 1 << 20
    assert parse(text, "d.json").document is None
    document = parse(text, "d.json", DocumentLimits(size=8 << 20)).document
    assert document is not None
    assert document.data == data
