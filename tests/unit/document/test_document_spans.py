"""Every span points at its text."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.diagnostics import Finding, Path, Span
from pipelines.document import Document, parse
from pipelines.json_types import Json

_WORDS = st.text(
    st.sampled_from("ab0 :#-'\"\\\n\té\N{GRINNING FACE}{}[],&*!|>%@`$"), min_size=0, max_size=10
)
_DATA = st.dictionaries(
    _WORDS,
    st.recursive(
        _WORDS | st.integers() | st.booleans() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)
_TEXT = """\
# comment
plain: some text  # comment
'quo''ted': 'it''s'
double: "a\\tb\\u00e9\\"c"
folded: >-
  one
  two ${x}

  three

literal: |
    four
     five ${x}

nested:
  list:
  - item: 1
    other: 2
  -
  - - inner
  flow: {a: [1, 2], b: }
several: one two
  three ${x}
anchored: &anchor  # comment
  value
alias: *anchor
empty:
last: 'x'
"""


def _document(text: str) -> Document:
    document = parse(text, "p.yaml").document
    assert document is not None
    return document


def _cut(text: str, span: Span | None) -> str:
    assert span is not None
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def _shown(document: Document, finding: Finding) -> str:
    return _cut(document.text, document.locate(finding).span)


def _at(data: Json, path: Path) -> Json:
    for step in path:
        data = data[step]
    return data


@given(_DATA, st.booleans(), st.sampled_from([None, "'", '"', "|", ">"]))
def test_the_text_under_a_scalar_is_the_scalar(data: Json, flow: bool, style: str | None) -> None:  # noqa: FBT001 - hypothesis draws it
    """Cut out and read again, every key and value is itself; so does the whole document."""
    text = yaml.safe_dump(
        data, default_flow_style=flow, default_style=style, allow_unicode=True, width=30
    )
    if "!!" in text:  # PyYAML marks what a quoted style would turn into text
        return
    document = _document(text)
    assert document.data == data
    for path, place in document.spans.items():
        value = _at(data, path)
        if place.key is not None and path and place.style not in ("|", ">"):
            key = _cut(text, document.span(place.key))
            if not key.startswith(("|", ">")):
                assert _document(f"? {key}\n: 1\n").data == {path[-1]: 1}
        if place.style and place.style not in ("|", ">") and place.value != place.key:
            cut = _cut(text, document.span(place.value))
            assert _document(f"a:\n  {cut}\n").data["a"] == value


@given(_DATA, st.sampled_from([None, "'", '"', "|", ">"]), st.data())
def test_a_part_of_a_scalar_is_underlined_exactly(
    data: Json, style: str | None, draw: st.DataObject
) -> None:
    """One ordinary character of a value is that character in the text, in every style."""
    text = yaml.safe_dump(data, default_style=style, allow_unicode=True, width=30)
    if "!!" in text:
        return
    document = _document(text)
    for path in document.spans:
        value = _at(data, path)
        if not isinstance(value, str) or not value:
            continue
        index = draw.draw(st.integers(0, len(value) - 1))
        shown = _shown(document, Finding("SP1", "m", path, within=(index, index + 1)))
        place = document.spans[path]
        whole = _cut(text, document.span(place.value))
        if value[index] in "ab0é":
            assert shown in (value[index], whole)
        if place.style in ("plain", "'") and "\n" not in whole:
            assert len(shown) <= 2


@pytest.mark.parametrize(
    ("path", "at", "shown"),
    [
        ((), "value", "plain: some text"),
        (("plain",), "value", "some text"),
        (("plain",), "key", "plain"),
        (("quo'ted",), "key", "'quo''ted'"),
        (("folded",), "value", ">-\n  one\n  two ${x}\n\n  three"),
        (("literal",), "value", "|\n    four\n     five ${x}"),
        (("nested",), "value", "nested"),
        (("nested", "list"), "value", "list"),
        (("nested", "list", 0), "value", "item: 1"),
        (("nested", "list", 0), "key", "item: 1"),
        (("nested", "list", 0, "other"), "value", "2"),
        (("nested", "list", 1), "value", "-"),
        (("nested", "list", 2), "value", "- inner"),
        (("nested", "flow"), "value", "{a: [1, 2], b: }"),
        (("nested", "flow", "a", 1), "value", "2"),
        (("nested", "flow", "b"), "value", "b"),
        (("several",), "value", "one two\n  three ${x}"),
        (("anchored",), "value", "value"),
        (("alias",), "value", "*anchor"),
        (("empty",), "value", "empty"),
        (("nested", "flow", "c", "d"), "value", "{a: [1, 2], b: }"),
        (("plain", "x"), "key", "plain"),
        (("plain", "x"), "value", "some text"),
        (("nowhere",), "key", "plain: some text"),
    ],
)
def test_a_finding_is_placed_at_its_value_or_key(path: Path, at: str, shown: str) -> None:
    """Block collections show their key, missing values their parent."""
    document = _document(_TEXT)
    finding = Finding("SP1", "m", path, at="key" if at == "key" else "value")
    assert _shown(document, finding) == shown


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("plain", "text"), ("quo'ted", "t's"), ("double", "b"), ("folded", "${x}"),
        ("folded", "two"), ("literal", "${x}"), ("several", "${x}"), ("several", "two three"),
        ("last", "x"), ("anchored", "alu"),
    ],
)  # fmt: skip
def test_a_part_of_a_value_is_found_in_its_text(key: str, part: str) -> None:
    """Quotes, escapes, folding and indentation are taken into account."""
    document = _document(_TEXT)
    start = document.data[key].index(part)
    finding = Finding("SP1", "m", (key,), within=(start, start + len(part)))
    written = {"t's": "t''s", "two three": "two\n  three"}
    assert _shown(document, finding) == written.get(part, part)


def test_escapes_are_underlined_whole() -> None:
    """The tab in the value is two characters of the text, the accent six."""
    document = _document(_TEXT)
    places = {1: "\\t", 3: "\\u00e9", 4: '\\"'}
    for index, written in places.items():
        assert _shown(document, Finding("SP1", "m", ("double",), within=(index, index + 1))) == (
            written
        )


def test_a_part_that_lies_outside_of_the_value_is_moved_into_it() -> None:
    """A check that counts wrongly still points into the right line."""
    document = _document("a: text\nb: 12\n")
    assert _shown(document, Finding("SP1", "m", ("a",), within=(50, 60))) == "t"
    assert _shown(document, Finding("SP1", "m", ("b",), within=(0, 1))) == "12"


def test_a_located_finding_keeps_all_it_says() -> None:
    """Code, message, path, severity and help go through."""
    finding = Finding("SP102", "unknown", ("a", "b"), help="do")
    located = _document("a: {b: 1}\n").locate(finding)
    assert (located.code, located.message, located.path, located.help) == (
        "SP102", "unknown", ("a", "b"), "do",
    )  # fmt: skip
    assert located.span == Span("p.yaml", 1, 8, 1, 9)


def test_line_ends_and_marks_of_other_systems_change_no_place() -> None:
    """Windows, old Macs and a byte order mark."""
    for text in ("a: 1\r\nb: |\r\n  x\r\n  y\r\n", "\ufeffa: 1\rb: |\r  x\r  y\r"):
        document = _document(text)
        assert document.data == {"a": 1, "b": "x\ny\n"}
        assert document.spans["b",].key == (2, 1, 2, 2)
