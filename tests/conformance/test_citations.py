"""What comments cite is there: sections of docs/facts.md, pages of docs/decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FACTS = re.compile(r"FACTS (\d+(?:\.\d+)?(?:(?:, | and )\d+(?:\.\d+)?)*)")
_MARKED = re.compile(r"mark\.fact\(\"([^\"]+)\"")
_DECISIONS = re.compile(r"decisions? (\d+(?: and \d+)?)")


def _cited(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for folder in ("pipelines", "tests"):
        for file in (ROOT / folder).rglob("*.py"):
            for match in pattern.finditer(file.read_text(encoding="utf-8")):
                for number in re.split(r", | and ", match[1]):
                    yield number, file.relative_to(ROOT).as_posix()


def _facts() -> set[str]:
    text = (ROOT / "docs" / "facts.md").read_text(encoding="utf-8")
    points = {
        f"{section}.{number}"
        for section, body in re.findall(
            r"^## (\d+)\. (.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
        )
        for number in re.findall(r"^(\d+)\. ", body, re.MULTILINE)
    }
    return points | set(re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE))


def _decisions() -> set[str]:
    return {str(int(page.name[:4])) for page in (ROOT / "docs" / "decisions").glob("0*.md")}


@pytest.mark.parametrize(
    ("pattern", "there"), [(_FACTS, _facts()), (_MARKED, _facts()), (_DECISIONS, _decisions())]
)
def test_what_is_cited_is_there(pattern: re.Pattern[str], there: set[str]) -> None:
    """Whoever reads the code can look it up."""
    cited = list(_cited(pattern))
    assert cited
    assert [place for place in cited if place[0] not in there] == []
