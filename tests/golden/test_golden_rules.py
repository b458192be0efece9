"""Each template of `rules` has rules that cannot be read; the codes stand on their lines.

`<name>.txt` beside `<name>.yaml` is what a user of `serve --rules` reads; `--update-golden` writes
it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.backends.local.events.loading import load_rules
from pipelines.diagnostics.rendering import render_text

FOLDER = Path(__file__).parent / "rules"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
_EXPECTED = re.compile(r"# E: (SP\d{3})")


@pytest.mark.parametrize("case", CASES)
def test_each_mistake_is_found_on_its_line(
    case: str, monkeypatch: pytest.MonkeyPatch, *, update_golden: bool
) -> None:
    """All of a template at once; no rule of it is loaded."""
    monkeypatch.chdir(FOLDER)
    file = Path(f"{case}.yaml")
    loaded = load_rules([file], "000000000000", "us-east-1")
    assert loaded.rules == ()
    found = loaded.checked[file].diagnostics
    lines = enumerate(file.read_text("utf-8").split("\n"), start=1)
    expected = [(number, code) for number, line in lines for code in _EXPECTED.findall(line)]
    assert sorted((one.span.line, one.code) for one in found if one.span) == expected
    text = render_text(found, {str(file): loaded.checked[file].text}, colour=False)
    golden = FOLDER / f"{case}.txt"
    if update_golden:
        golden.write_text(text, "utf-8")
    assert golden.read_text("utf-8") == text
