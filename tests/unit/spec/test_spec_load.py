"""Mistakes anywhere in a spec are found, at their own key and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import kinds
from pipelines.diagnostics import Diagnostic
from pipelines.document import parse
from pipelines.json_types import Json, JsonObject
from pipelines.spec.load import load

CASES = Path(__file__).parents[2] / "golden" / "cases"
FREE_MAPPINGS = frozenset(
    {
        *("parameters", "data", "steps", "inputs", "hyperparameters", "environment", "arguments"),
        *("metric_definitions", "reports", "suites", "tags", "metadata", "after", "environments"),
    }
)
SPECS = [
    (name, yaml.safe_load((CASES / name / "pipeline.yaml").read_text("utf-8")))
    for name in ("training_full", "registration_full", "processing_full", "validation_gate")
]


def _mappings(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """List the paths of the mappings whose keys the language fixes."""
    match value:
        case dict():
            here = [] if path and path[-1] in FREE_MAPPINGS else [path]
            return here + [p for k, v in value.items() for p in _mappings(v, (*path, k))]
        case list():
            return [p for i, v in enumerate(value) for p in _mappings(v, (*path, i))]
        case _:
            return []


def _diagnostics(text: str) -> list[Diagnostic]:
    document = parse(text.encode(), "pipeline.yaml").document
    assert document is not None
    return [document.locate(f) for f in load(document, kinds.step_models(), {}).findings]


def test_a_key_that_is_replaced_is_not_taken_from_defaults() -> None:
    """`defaults:` holds for the other steps; in the step itself the key would be a mistake."""
    group = "{instance_group_name: a, instance_type: ml.m5.xlarge}"
    step = f"kind: training, script: t.py, image: i, instance_groups: [{group}]"
    text = "spec: 1\npipeline: p\ndefaults: {instance_count: 2}\nsteps:\n  train: {%s}\n"
    assert not _diagnostics(text % step)
    (found,) = _diagnostics(text % f"{step}, instance_count: 2")
    assert (found.code, found.path) == ("SP125", ("steps", "train", "instance_count"))


@settings(max_examples=60)
@given(st.data(), st.sampled_from(SPECS), st.booleans())
def test_an_unknown_key_is_found_wherever_it_stands(
    data: st.DataObject,
    named: tuple[str, JsonObject],
    flow: bool,  # noqa: FBT001 - hypothesis gives it by position
) -> None:
    """One wrong key in a right spec gives one finding, and its span is that key."""
    spec: Json = yaml.safe_load(yaml.safe_dump(named[1]))
    place: Json = spec
    for part in data.draw(st.sampled_from(_mappings(spec))):
        place = place[part]
    place["zzz_unknown"] = 1
    text = yaml.safe_dump(spec, default_flow_style=flow, sort_keys=False, width=60)
    (found,) = _diagnostics(text)
    assert found.code == "SP102"
    assert found.span is not None
    line = text.split("\n")[found.span.line - 1]
    assert line[found.span.column - 1 : found.span.end_column - 1] == "zzz_unknown"


@settings(max_examples=60)
@given(st.data(), st.sampled_from(SPECS))
def test_any_value_in_any_place_gives_findings_and_never_an_exception(
    data: st.DataObject, named: tuple[str, JsonObject]
) -> None:
    """Whatever stands in a spec, the loader answers in our words."""
    spec: Json = yaml.safe_load(yaml.safe_dump(named[1]))
    place: Json = spec
    for part in data.draw(st.sampled_from(_mappings(spec))):
        place = place[part]
    key = data.draw(st.sampled_from(sorted(place)))
    place[key] = data.draw(
        st.sampled_from([None, True, 0, -1, 1.5, "", "text", "${}", [], [None], {}, {"a": {}}])
    )
    for found in _diagnostics(yaml.safe_dump(spec, sort_keys=False)):
        assert found.span is not None
        assert found.message
        for foreign in ("NoneType", "validation", "Input should", "pydantic", "something else"):
            assert foreign not in found.message


@pytest.mark.parametrize("kind", kinds.names())
def test_every_kind_describes_each_of_its_keys(kind: str) -> None:
    """The reference and the advice of SP120 are made of these texts."""
    found = kinds.find(kind)
    assert found is not None
    assert found.summary
    assert [
        n for n, f in found.model.model_fields.items() if not f.description and n != "kind"
    ] == []
