from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from pipelines.compile.driver import validate
from pipelines.compile.model import CompileRequest
from pipelines.diagnostics import render_text
from tests.everything import EVERYTHING
from tests.growth import LIMIT, growth

pytestmark = pytest.mark.no_cover

FEW: Final = 250 if EVERYTHING else 120
_HEAD: Final = "spec: 1\npipeline: many\n"
_WORK: Final = f"{_HEAD}steps:\n  work:\n    kind: processing\n    script: work.py\n"
_CHOICE: Final = f"{_HEAD}steps:\n  c:\n    kind: condition\n    if: 1 == 1\n"


IN_QUICK: Final = frozenset(
    ("references in one text", "misspelt steps in one list", "steps that wait for a cycle")
)
"""One of each sort of text; `make quick` leaves the others out."""


def _numbered(line: str, many: int) -> str:
    return "".join(line.replace("#", str(number)) for number in range(many))


def _chain(many: int) -> str:
    """Return steps of which each waits for the next, the last two for each other."""
    steps = "".join(f"  s{n}: {{kind: fail, message: m, after: [s{n + 1}]}}\n" for n in range(many))
    last = f"  s{many}: {{kind: fail, message: m, after: [s{many - 1}]}}\n"
    return f"{_HEAD}steps:\n{steps}{last}"


def _crossing(steps: int) -> str:
    """Return steps that wait for a member of a branch without being in it; few, they cost much."""
    many = steps // 4
    members = _numbered("  m#: {kind: processing, script: work.py}\n", many)
    outside = _numbered("  o#: {kind: fail, message: m, after: [m#]}\n", many)
    return f"{_CHOICE}    then: [{_numbered('m#, ', many)}]\n{members}{outside}"


SPECS: Final[Mapping[str, Callable[[int], str]]] = {
    "references in one text": lambda n: (
        f"{_WORK}    description: d\n    arguments:\n      a: {_numbered('${parameters.x#}', n)}\n"
    ),
    "references in one block": lambda n: (
        f"{_WORK}    arguments:\n      a: |\n{_numbered('        ${steps.x#.y}' + chr(10), n)}"
    ),
    "references in one condition": lambda n: (
        f"{_HEAD}steps:\n  c:\n    kind: condition\n"
        f"    if: {_numbered('1 == data.x# or ', n)}1 == 1\n"
    ),
    "misspelt parameters": lambda n: (
        f"{_WORK}    arguments:\n{_numbered('      a#: ${parameters.pra#}' + chr(10), n)}"
        f"parameters:\n{_numbered('  par#: {type: string}' + chr(10), n)}"
    ),
    "misspelt steps": lambda n: (
        f"{_HEAD}steps:\n{_numbered('  s#: {kind: fail, message: m, after: [t#]}' + chr(10), n)}"
    ),
    "misspelt steps in one list": lambda n: f"{_WORK}    after: [{_numbered('t#, ', n)}]\n",
    "misspelt members of a branch": lambda n: f"{_CHOICE}    then: [{_numbered('t#, ', n)}]\n",
    "members of a branch that others need": _crossing,
    "steps that wait for a cycle": _chain,
    "unknown keys": lambda n: f"{_WORK}{_numbered('    kay#: 1' + chr(10), n // 2)}",
    "unset variables": lambda n: f"{_WORK}    arguments:\n      a: {_numbered('${env.NO#}', n)}\n",
    "a long text": lambda n: (
        f"{_WORK}    arguments:\n      a: {'x' * 200 * n}${{parameters.x}}${{parameters.y}}\n"
    ),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in IN_QUICK else pytest.mark.slow, id=name)
        for name in SPECS
    ],
)
def test_time_grows_with_the_number_of_mistakes_not_with_its_square(
    name: str, tmp_path: Path
) -> None:
    """3,000 unknown references in one text once took 88 s, since each looked at all others."""
    file = tmp_path / "pipeline.yaml"
    (tmp_path / "work.py").write_text("")

    def shown(many: int) -> str:
        text = SPECS[name](many)
        file.write_text(text)
        found = validate(CompileRequest(file, None, {})).diagnostics
        return render_text(found, {str(file): text}, colour=False)

    assert "error" in shown(8)
    assert growth(shown, FEW) < LIMIT
    assert len(shown(FEW)) < 2_000_000
