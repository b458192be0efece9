"""Every code is emitted, explained and shown by a case; no golden holds another program's words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pipelines

TESTS = Path(__file__).parent.parent
SOURCE = Path(pipelines.__file__).parent
GOLDENS = sorted(
    path
    for pattern in ("cases/*/expected.json", "errors/*.txt")
    for path in (TESTS / "golden").glob(pattern)
)

_CODE = re.compile(r"\bSP\d{3}\b")
_QUOTED_CODE = re.compile(r'"(SP\d{3})"')
_FOREIGN = ("NoneType", "Traceback", "validation error", "Input should be", "type=", "pydantic")


def _emitted() -> set[str]:
    sources = (path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
    return {code for text in sources for code in _QUOTED_CODE.findall(text)}


def _documented() -> set[str]:
    return {path.stem for path in (SOURCE / "diagnostics" / "codes").glob("*.md")}


def _shown() -> set[str]:
    """Collect the codes that a test names: in a comment of a spec, or as text in Python."""
    comments = (
        line.partition("# E: ")[2]
        for path in TESTS.rglob("*.yaml")
        for line in path.read_text("utf-8", "replace").split("\n")
    )
    named = (
        " ".join(_QUOTED_CODE.findall(path.read_text("utf-8"))) for path in TESTS.rglob("*.py")
    )
    return {code for text in (*comments, *named) for code in _CODE.findall(text)}


def test_every_emitted_code_is_explained() -> None:
    """`explain` knows each code that any module can emit, and no code that none emits."""
    assert _emitted() == _documented()


def test_every_code_has_a_case() -> None:
    """Each code is shown by a test, so that its message and place are seen before a user sees."""
    assert _documented() - _shown() == set()


@pytest.mark.parametrize(
    "golden", GOLDENS, ids=lambda path: str(path.relative_to(TESTS / "golden"))
)
def test_golden_holds_no_words_of_python_or_pydantic(golden: Path) -> None:
    """A user reads our words, never those of the libraries beneath."""
    text = golden.read_text("utf-8")
    assert [word for word in _FOREIGN if word in text] == []
