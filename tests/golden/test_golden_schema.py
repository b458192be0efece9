"""The editor schema and the loader agree on what a spec may hold."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from pipelines.document import parse

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*/pipeline.yaml"))
CASES = sorted((Path(__file__).parent / "cases").glob("*/pipeline.yaml"))
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((ROOT / "pipelines" / "spec" / "pipeline.schema.json").read_text(encoding="utf-8"))
)


@pytest.mark.parametrize(
    "spec", [ROOT / "pipeline.yaml", *EXAMPLES, *CASES], ids=lambda p: p.parent.name
)
def test_every_golden_spec_fits_the_editor_schema(spec: Path) -> None:
    """An editor underlines nothing in a spec that compiles."""
    parsed = parse(spec.read_bytes(), str(spec))
    assert parsed.document is not None
    assert [error.message for error in SCHEMA.iter_errors(parsed.document.data)] == []


def test_editor_schema_underlines_a_misspelt_key_of_a_kind() -> None:
    """Each kind's keys are closed: what `validate` calls SP102, an editor sees while typing."""
    parsed = parse((ROOT / "pipeline.yaml").read_bytes(), "pipeline.yaml")
    assert parsed.document is not None
    parsed.document.data["steps"]["train"]["instance_cout"] = 2
    errors = list(SCHEMA.iter_errors(parsed.document.data))
    assert [list(error.path) for error in errors] == [["steps", "train"]]
    assert "instance_cout" in errors[0].message
