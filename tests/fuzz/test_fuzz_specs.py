"""Damaged specs end in located diagnostics, never in a traceback or a hang."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.compile.driver import validate
from pipelines.compile.model import CompileRequest
from pipelines.diagnostics import render_text
from tests.fuzz.budget import LONGEST, Stopwatch, sources
from tests.fuzz.mutations import EXPRESSIONS, REFERENCES, SCALARS, mutated, text_mutated

pytestmark = pytest.mark.no_cover

ROOT = Path(__file__).resolve().parents[2]
SPECS = (ROOT / "pipeline.yaml", *sorted((ROOT / "tests" / "golden" / "cases").rglob("*.yaml")))
FOREIGN = ("NoneType", "Traceback", "pydantic", "object at 0x", "Expecting")
ENVIRONMENT = {"HOME": "/home/somebody"}


def _problems(file: Path, text: str) -> Iterator[str]:
    """Yield what `validate` does wrong with a spec."""
    with Stopwatch() as watch:
        checked = validate(CompileRequest(file, None, ENVIRONMENT))
        printed = render_text(checked.diagnostics, {str(file): text}, colour=False)
    if watch.seconds >= LONGEST:
        yield f"it takes {watch.seconds:.1f} s"
    yield from (f"it says {word}" for word in FOREIGN if word in printed and word not in text)
    last = max(1, len(text.splitlines())) + 1
    for one in checked.diagnostics:
        if not one.message or one.span is None or not 1 <= one.span.line <= last:
            yield f"a diagnostic has no text or no place: {one}"
    if checked.graph is None and not checked.failed:
        yield "there is neither a graph nor an error"


def _written(data: Any) -> str:
    """Write plain data as YAML, where it can be."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


@pytest.mark.parametrize("how", ["references", "text"])
def test_a_damaged_spec_has_located_diagnostics(how: str, tmp_path: Path) -> None:
    """Each seed damages one of the specs; a failure names its seed."""
    texts = [path.read_text(encoding="utf-8") for path in SPECS]
    values = (*REFERENCES, *EXPRESSIONS, *SCALARS)
    for seed, source in sources():
        text = source.choice(texts)
        text = _damaged(text, source, values) if how == "references" else text_mutated(text, source)
        file = tmp_path / f"{how}-{seed}.yaml"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        assert list(_problems(file, text)) == [], seed
        file.unlink()


def _damaged(text: str, source: random.Random, values: tuple[Any, ...]) -> str:
    while True:
        try:
            return _written(mutated(yaml.safe_load(text), source, values))
        except (yaml.YAMLError, ValueError):  # a value that YAML cannot write
            continue
