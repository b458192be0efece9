from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from pipelines.compile.driver import validate
from pipelines.compile.model import CompileRequest
from pipelines.diagnostics import render_text
from tests.fuzz.budget import Stopwatch

MANY: Final = 3000
SECONDS: Final = 6.0
_HEAD: Final = "spec: 1\npipeline: many\n"
_WORK: Final = f"{_HEAD}steps:\n  work:\n    kind: processing\n    script: work.py\n"


def _numbered(line: str) -> str:
    return "".join(line.replace("#", str(number)) for number in range(MANY))


SPECS: Final[Mapping[str, Callable[[], str]]] = {
    "references in one text": lambda: (
        f"{_WORK}    description: d\n    arguments:\n      a: {_numbered('${parameters.x#}')}\n"
    ),
    "references in one block": lambda: (
        f"{_WORK}    arguments:\n      a: |\n{_numbered('        ${steps.x#.y}' + chr(10))}"
    ),
    "references in one condition": lambda: (
        f"{_HEAD}steps:\n  c:\n    kind: condition\n    if: {_numbered('1 == data.x# or ')}1 == 1\n"
    ),
    "misspelt parameters": lambda: (
        f"{_WORK}    arguments:\n{_numbered('      a#: ${parameters.pra#}' + chr(10))}"
        f"parameters:\n{_numbered('  par#: {type: string}' + chr(10))}"
    ),
    "misspelt steps": lambda: (
        f"{_HEAD}steps:\n{_numbered('  s#: {kind: fail, message: m, after: [t#]}' + chr(10))}"
    ),
    "unknown keys": lambda: f"{_WORK}{_numbered('    kay#: 1' + chr(10))}",
    "unset variables": lambda: f"{_WORK}    arguments:\n      a: {_numbered('${env.NOBODY#}')}\n",
    "a text of 900 KB": lambda: (
        f"{_WORK}    arguments:\n      a: {'x' * 900_000}${{parameters.x}}${{parameters.y}}\n"
    ),
}


@pytest.mark.parametrize("name", SPECS)
def test_thousands_of_mistakes_take_seconds(name: str, tmp_path: Path) -> None:
    """The time grows with the text, not with its square: 3,000 in one text once took 88 s."""
    file, text = tmp_path / "pipeline.yaml", SPECS[name]()
    file.write_text(text)
    with Stopwatch() as watch:
        found = validate(CompileRequest(file, None, {})).diagnostics
        shown = render_text(found, {str(file): text}, colour=False)
    assert watch.seconds < SECONDS
    assert "error" in shown
    assert len(shown) < 5_000_000
