"""Damaged definitions end in findings with a place, never in a traceback or a hang."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.definition import check_definition, outline
from pipelines.diagnostics import Severity
from tests.fuzz.budget import LONGEST, Stopwatch, sources
from tests.fuzz.mutations import FUNCTIONS, SCALARS, mutated

pytestmark = pytest.mark.no_cover

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden" / "cases").rglob("expected*.json"))
REAL = sorted((ROOT.parent / "shared" / "definitions").glob("*.json"))


def _exists(document: Any, path: tuple[str | int, ...]) -> bool:
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


@pytest.mark.parametrize("files", [GOLDEN, REAL], ids=["golden", "real"])
def test_a_damaged_definition_has_findings_with_a_place(files: list[Path]) -> None:
    """Every path leads into the document, or to what is missing there; sound ones have an order."""
    if not files:
        pytest.skip("the real definitions do not lie beside this checkout")
    documents = [json.loads(file.read_bytes()) for file in files]
    for seed, source in sources():
        damaged = mutated(source.choice(documents), source, (*FUNCTIONS, *SCALARS))
        with Stopwatch() as watch:
            findings = check_definition(damaged)
        assert watch.seconds < LONGEST, seed
        for finding in findings:
            assert finding.message, seed
            assert "{'" not in f"{finding.message}{finding.help}", (seed, finding)
            assert _exists(damaged, finding.path[:-1]), (seed, finding)
        if not any(finding.severity is Severity.ERROR for finding in findings):
            with Stopwatch() as watch:
                assert len(outline(damaged)) >= 1, seed
            assert watch.seconds < LONGEST, seed
