"""Every file of `cases/` says on its lines which codes the loader finds there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pipelines.diagnostics import codes
from pipelines.document import parse, parser

_CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
_EXPECTED = re.compile(r"# E: (SP\d{3})")
_LOADERS = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]


@pytest.mark.parametrize("loader", _LOADERS, ids=["python", "libyaml"])
@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.stem)
def test_each_mistake_is_found_on_its_line(
    case: Path, loader: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly the codes written on the lines are found, by both parsers of PyYAML."""
    monkeypatch.setattr(parser, "_FASTEST", loader)
    text = case.read_text("utf-8")
    expected = [
        (number, code)
        for number, line in enumerate(text.split("\n"), start=1)
        for code in _EXPECTED.findall(line)
    ]
    found = parse(text, case.name).findings
    places = [(finding.span.line, finding.code) for finding in found if finding.span]
    assert places == expected
    assert len(places) == len(found)


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.stem)
def test_no_message_has_the_words_of_a_library(case: Path) -> None:
    """A user reads our sentences: one line, with something to do."""
    for finding in parse(case.read_text("utf-8"), case.name).findings:
        words = f"{finding.message} {finding.help}"
        assert not re.search(r"scann|simple key|token|<block|NoneType|yaml\.|expected ,", words)
        assert "\n" not in finding.message
        assert finding.help


def test_every_code_of_the_loader_has_a_case() -> None:
    """A code without a case is a code that nobody has seen."""
    written = {code for case in _CASES for code in _EXPECTED.findall(case.read_text("utf-8"))}
    elsewhere = {
        "SP102",  # the spec's
        "SP108",  # test_document_limits
        "SP111",  # test_document_reading
        "SP112",  # test_document_overlay
        "SP116",  # test_document_overlay
    }
    ours = {code for code in codes.all_codes() if code < "SP120"}
    assert written | elsewhere == ours
