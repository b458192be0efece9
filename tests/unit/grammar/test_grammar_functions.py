"""Functions as JSON and as values, and what a `Get` names."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.grammar.functions import (
    Get,
    Join,
    JsonGet,
    PropertyFile,
    from_json,
    function_of,
    is_function,
    parse_target,
    property_file_of,
    target_of,
    to_json,
)
from pipelines.json_types import Json

NAMES = st.text("abc-_09", min_size=1, max_size=6)
SCALARS = st.text(max_size=6) | st.integers() | st.booleans() | st.floats(allow_nan=False)
GETS = st.builds(Get, st.text(max_size=9))
FILES = st.builds(PropertyFile, NAMES, NAMES)
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS | GETS | st.builds(JsonGet, FILES, st.text(max_size=6)),
    lambda inner: (
        st.builds(Join, st.text(max_size=3), st.lists(inner, max_size=3).map(tuple))
        | st.builds(JsonGet, st.text(max_size=6) | GETS, st.text(max_size=6))
    ),
    max_leaves=6,
)
STRUCTURES: st.SearchStrategy[Json] = st.recursive(
    VALUES | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@given(STRUCTURES)
def test_a_value_is_read_back_as_it_was_written(value: Json) -> None:
    """Functions anywhere in a structure; what is written is JSON."""
    written = to_json(value)
    assert from_json(json.loads(json.dumps(written))) == value
    assert to_json(from_json(written)) == written


@given(VALUES)
def test_what_is_written_for_a_function_is_one(value: Json) -> None:
    """And nothing else is."""
    assert is_function(to_json(value)) == isinstance(value, Get | Join | JsonGet)


@pytest.mark.parametrize(
    "value",
    [
        {"Get": 1},
        {"Get": "Parameters.a", "Std:Join": {}},
        {"Std:Join": ["a"]},
        {"Std:Join": {"On": ""}},
        {"Std:JsonGet": {"Path": "a"}},
        {"Std:JsonGet": {"PropertyFile": {"Get": "Parameters.a"}, "Path": "a"}},
        {"Std:Jion": {}},
        "Get",
        None,
    ],
)
def test_what_is_not_well_formed_stays_json(value: Json) -> None:
    """The checks of a definition say what is wrong with it."""
    assert function_of(value) is None
    assert to_json(from_json(value)) == value


@pytest.mark.parametrize(
    ("text", "root", "name", "path", "step"),
    [
        ("Parameters.count", "Parameters", "count", "", None),
        ("Parameters.a.b", "Parameters", "a.b", "", None),
        ("Execution.PipelineName", "Execution", "PipelineName", "", None),
        ("Steps.train.ModelArtifacts.X[0]", "Steps", "train", ".ModelArtifacts.X[0]", "train"),
        ("Steps.train", "Steps", "train", "", "train"),
        ("Steps.a['b']", "Steps", "a", "['b']", "a"),
        ("ForEach.CurrentItem.name", "ForEach", "CurrentItem", ".name", None),
        ("IterationOutput.body.x", "IterationOutput", "body", ".x", None),
        ("Steps", "Steps", "", "", None),
        ("", "", "", "", None),
    ],
)
def test_the_text_of_a_get_has_a_root_a_name_and_a_path(
    text: str, root: str, name: str, path: str, step: str | None
) -> None:
    """A path is below steps and items of loops only."""
    target = target_of({"Get": text})
    assert target is not None
    assert (target.root, target.name, target.path, target.step) == (root, name, path, step)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Steps.a.PropertyFiles.report", "report"),
        ("Steps.a.PropertyFiles.a.json", "a.json"),
        ("Steps.a.PropertyFiles['report']", "report"),
        ("Steps.a.PropertyFiles.", None),
        ("Steps.a.PropertyFiles", None),
        ("Steps.a.Outputs[", None),
        ("Parameters.PropertyFiles.a", None),
    ],
)
def test_a_property_file_is_named_behind_a_dot_or_in_brackets(text: str, name: str | None) -> None:
    """Terraform code writes brackets, the SDK the dot."""
    expected = None if name is None else PropertyFile("a", name)
    assert property_file_of(parse_target(text)) == expected
