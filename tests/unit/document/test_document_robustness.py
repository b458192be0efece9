"""No text makes the loader fail: it ends in a document or in findings, always with places."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.diagnostics.formats import names
from pipelines.diagnostics.rendering import render
from pipelines.document import parse, parser

_PIECES = st.sampled_from(
    ["a", "b", "1", ":", ": ", "- ", "\n", "\n  ", "\t", "{", "}", "[", "]", ",", "${a.b}", "&x ",
     "*x", "!t ", "'", '"', "\\", "\\u", "ud83d", "|", ">", "%", "@", "`", "#", " #", "---", "...",
     "? ", "<<", "<<: ", "~", "é", "\N{GRINNING FACE}", "\x00", "\x85", "\u2028", "\r", "\ufeff"]
)  # fmt: skip
_TEXTS = st.lists(_PIECES, max_size=30).map("".join) | st.text(max_size=30)


@pytest.mark.parametrize(
    "loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)], ids=["py", "c"]
)
@given(text=_TEXTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_becomes_a_document_or_findings(
    text: str, loader: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every finding lies inside of the text, and every format can print it."""
    monkeypatch.setattr(parser, "_FASTEST", loader)
    parsed = parse(text, "p.yaml")
    assert parsed.document is not None or parsed.findings
    lines = parsed.text.split("\n")
    for found in parsed.findings:
        assert found.span is not None
        assert 1 <= found.span.line <= found.span.end_line <= len(lines)
        assert 1 <= found.span.column <= len(lines[found.span.line - 1]) + 1
        assert (found.span.line, found.span.column) <= (found.span.end_line, found.span.end_column)
    if parsed.document is not None:
        json.dumps(parsed.document.data)
    for name in names():
        render(name, parsed.findings, {"p.yaml": parsed.text})


@given(st.binary(max_size=40))
def test_any_bytes_become_a_document_or_findings(data: bytes) -> None:
    """What is no UTF-8 has a place too."""
    parsed = parse(data, "p.yaml")
    assert parsed.document is not None or parsed.findings
    render("text", parsed.findings, {"p.yaml": parsed.text})
