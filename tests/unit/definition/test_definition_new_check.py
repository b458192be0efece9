"""A check is one file: nothing names it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipelines.definition import check_definition, checks
from tests.unit.definition.samples import DEFINITION

CHECK = """
from pipelines.definition.findings import warning


def check(definition):
    for step in definition.steps:
        if step.branch is not None:
            yield warning("SP549", step.path, f"`{step.name}` stands in a branch")
"""


def test_a_check_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found in the folder and gets the definition taken apart."""
    (tmp_path / "zz_branches.py").write_text(CHECK, encoding="utf-8")
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    try:
        found = check_definition(DEFINITION)
    finally:
        sys.modules.pop(f"{checks.__name__}.zz_branches", None)
    assert [one.message for one in found] == [
        "`notify` stands in a branch",
        "`reject` stands in a branch",
    ]


def test_every_check_of_the_folder_checks_a_definition() -> None:
    """The files hold nothing else: what several share stands beside the folder."""
    for file in Path(checks.__path__[0]).glob("[!_]*.py"):
        source = file.read_text("utf-8")
        assert "\ndef check(definition: Definition) -> Iterator[Finding]:\n" in source, file.name
        assert "definition.checks" not in source, file.name
