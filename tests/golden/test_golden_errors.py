"""Each spec of `errors` is wrong; the codes stand on the lines that cause them.

`instance_cout: 2  # E: SP102` says that this line gives exactly this code; `# E: SP204 SP205` is
for two. Files of the folder `<name>/` say so as well. `<name>.txt` beside `<name>.yaml` is what a
user reads; `--update-golden` writes it. Heads of the specs are as in `test_golden_definitions.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pipelines.compile.driver import compile_spec, validate
from pipelines.compile.model import CheckedSpec, CompileRequest
from pipelines.diagnostics import Diagnostic
from pipelines.diagnostics.rendering import render_text

FOLDER = Path(__file__).parent / "errors"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))

_EXPECTED = re.compile(r"# E: (SP\d{3}(?: SP\d{3})*)")
_HEADER = re.compile(r"^# (env|environ): (.+)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name files as a user does who stands in the project."""
    monkeypatch.chdir(FOLDER)


def _request(case: str) -> CompileRequest:
    file = Path(f"{case}.yaml")
    header: dict[str, str] = dict(_HEADER.findall(file.read_text("utf-8")))
    environ = dict(pair.split("=", 1) for pair in header.get("environ", "").split())
    return CompileRequest(file, header.get("env"), environ)


def _found(checked: CheckedSpec) -> Counter[tuple[str, int, str]]:
    spans = ((d.span, d.code) for d in checked.diagnostics)
    return Counter(
        (span.source, span.line, code) if span else ("", 0, code) for span, code in spans
    )


def _expected(case: str) -> Counter[tuple[str, int, str]]:
    files = [Path(f"{case}.yaml"), *(path for path in Path(case).rglob("*") if path.is_file())]
    return Counter(
        (str(file), number, code)
        for file in files
        for number, line in enumerate(file.read_text("utf-8").split("\n"), start=1)
        for codes in _EXPECTED.findall(line)
        for code in codes.split()
    )


@pytest.mark.parametrize("case", CASES)
def test_each_mistake_is_found_on_its_line_and_reads_as_the_snapshot(
    case: str, *, update_golden: bool
) -> None:
    """Exactly the codes that are written on the lines are found there, and no bundle is made.

    Every word that a user sees is reviewed: it stands in the snapshot. A message is one line, never
    pydantic's or Python's; its span lies inside of the file. `validate` reads no data and writes
    nothing, and misses none of what `compile` reports.
    """
    result = compile_spec(_request(case))
    checked = result.checked
    text = render_text(checked.diagnostics, {f"{case}.yaml": checked.text}, colour=False)
    snapshot = Path(f"{case}.txt")
    if update_golden:
        snapshot.write_text(text, "utf-8")
    assert _found(checked) == _expected(case)
    assert (result.compiled is None) == checked.failed
    assert snapshot.exists(), "no snapshot: run pytest --update-golden and read what it wrote"
    assert text == snapshot.read_text("utf-8")
    _assert_one_line_with_its_excerpt(checked)
    assert validate(_request(case)).diagnostics == checked.diagnostics


def _assert_one_line_with_its_excerpt(checked: CheckedSpec) -> None:
    lines = checked.text.split("\n")
    for diagnostic in checked.diagnostics:
        assert "\n" not in diagnostic.message
        shown = lines if diagnostic.excerpt is None else _padded(diagnostic)
        assert _marked(diagnostic, shown), diagnostic


def _padded(diagnostic: Diagnostic) -> list[str]:
    """Return lines of another file: the one that is shown, after as many as stand before it."""
    assert diagnostic.span is not None
    return [*[""] * (diagnostic.span.line - 1), diagnostic.excerpt or ""]


def _marked(diagnostic: Diagnostic, lines: list[str]) -> str:
    """Return the text under the carets."""
    span = diagnostic.span
    assert span is not None
    assert 1 <= span.line <= span.end_line <= len(lines)
    end = span.end_column - 1 if span.end_line == span.line else None
    return lines[span.line - 1][span.column - 1 : end]


def test_every_snapshot_has_a_case() -> None:
    """No snapshot is left of a case that is gone."""
    assert [p.name for p in FOLDER.glob("*.txt") if p.stem not in CASES] == []
