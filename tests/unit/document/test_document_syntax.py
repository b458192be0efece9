"""What the loader says about the commonest mistakes, word by word."""

from __future__ import annotations

import pytest
import yaml

from pipelines.document import parse, parser

_CASES = {
    "a:\n\tb: 1\n": ("2:1-2", "a tab is used for indentation", "write spaces instead"),
    "x: 1\na:1\nb: 2\n": ("2:1-3", "a space is missing after the colon", "write `a: 1`"),
    "a:1\n": ("1:1-4", "a space is missing after the colon", "write `a: 1`"),
    "a:1\nb: 2\n": ("1:1-3", "a space is missing after the colon", "write `a: 1`"),
    "a: 'x\n": ("1:4-5", "this quote is never closed", "write `'` at the end of the text"),
    "a: {b: [1,\n": ("1:8-9", "this `[` is never closed", "write `]` at its end"),
    "a: @x # c\n": ("1:4-5", "a value cannot begin with `@`", 'put it in quotes: `"@x"`'),
    "a: `x`\n": ("1:4-5", "a value cannot begin with a backtick", 'put it in quotes: `"`x`"`'),
    "a: b: c\n": ("1:5-6", "a value with `: ` in it needs quotes", 'write `"b: c"`'),
    'a: "\\d"\n': (
        "1:5-7",
        '`\\d` is not a valid escape inside "…"',
        "use '…', where a backslash is a backslash, or write `\\\\`",
    ),
    "a: {b: s3://${c}/d, e: 1}\n": (
        "1:13-17",
        "`${c}` needs quotes inside of `{…}` and `[…]`",
        'write `a: {b: "s3://${c}/d", e: 1}`',
    ),
    "  a: [${b}-${c},x]\n": (
        "1:7-11",
        "`${b}` needs quotes inside of `{…}` and `[…]`",
        'write `a: ["${b}-${c}",x]`',
    ),
}


@pytest.mark.parametrize("text", _CASES)
def test_a_mistake_is_named_with_what_to_write_instead(text: str) -> None:
    """Place, problem and help are exactly these."""
    found = parse(text, "p.yaml").findings[0]
    span = found.span
    assert span is not None
    place = f"{span.line}:{span.column}-{span.end_column}"
    assert (place, found.message, found.help) == _CASES[text]


def test_all_unquoted_references_are_found_at_once() -> None:
    """The help shows the whole line mended, not one reference of it."""
    parsed = parse('a: {b: ${c}, d: ["${e}", ${f.g[0]}]}\n', "p.yaml")
    assert [found.code for found in parsed.findings] == ["SP110", "SP110"]
    expected = 'write `a: {b: "${c}", d: ["${e}", "${f.g[0]}"]}`'
    assert {found.help for found in parsed.findings} == {expected}
    assert parsed.document is None


def test_findings_that_leave_a_structure_leave_a_document() -> None:
    """A duplicate key does not keep later checks from adding theirs; the first one counts."""
    parsed = parse("a: 1\na: 2\nb: 3\n", "p.yaml")
    assert parsed.document is not None
    assert parsed.document.data == {"a": 1, "b": 3}


def test_half_a_surrogate_pair_is_refused_by_both_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's own parser lets it pass; such a text could not be written anywhere."""
    text = 'a: "\\ud83d"\n'
    assert [found.code for found in parse(text, "p.yaml").findings] == ["SP101"]
    monkeypatch.setattr(parser, "_FASTEST", yaml.SafeLoader)
    assert [found.code for found in parse(text, "p.yaml").findings] == ["SP114"]
