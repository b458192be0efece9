"""One grammar of paths: written, read back, followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.grammar.paths import (
    Key,
    PathError,
    PathPart,
    ValuePath,
    follow,
    parse_json_path,
    parse_path,
    show_path,
)
from pipelines.json_types import Json, JsonObject

MEMBERS = st.text(st.characters(exclude_characters=".[]'\""), min_size=1, max_size=6)
KEYS = st.text(st.characters(exclude_characters="'"), max_size=6).map(Key)
QUOTED = st.text(st.characters(exclude_characters='"'), max_size=6).map(Key)
PARTS: st.SearchStrategy[PathPart] = MEMBERS | KEYS | QUOTED | st.integers(-99, 99)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(MEMBERS.map(str), inner, max_size=3)
    ),
    max_leaves=9,
)


def _kinds(path: ValuePath) -> list[type]:
    return [type(part) for part in path]


@given(st.lists(PARTS, max_size=6).map(tuple))
def test_a_path_is_read_back_as_it_was_written(path: ValuePath) -> None:
    """Members, keys and indexes stay apart."""
    read = parse_path(show_path(path))
    assert read == path
    assert _kinds(read) == _kinds(path)


def _paths(value: Json, above: ValuePath = ()) -> list[tuple[ValuePath, Json]]:
    found = [(above, value)]
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            found += _paths(item, (*above, key))
    return found


@given(JSON)
def test_a_path_leads_to_the_value_that_it_was_made_for(value: Json) -> None:
    """Whatever a document holds can be named."""
    for path, found in _paths(value):
        assert follow(value, parse_path(show_path(path))) is found


def test_a_path_has_members_indexes_and_keys() -> None:
    """Quotes of either kind; a leading dot, as behind a step's name, says nothing."""
    text = """Outputs['a.b'].S3Output.Uris[2]["c"]"""
    expected = ("Outputs", Key("a.b"), "S3Output", "Uris", 2, Key("c"))
    assert parse_path(text) == parse_path(f".{text}") == expected
    assert _kinds(parse_path(text)) == _kinds(expected)
    assert show_path(expected) == "Outputs['a.b'].S3Output.Uris[2]['c']"
    assert parse_path("") == ()


@pytest.mark.parametrize(
    "text", ["a..b", "..a", "a.", "a[", "a[0", "a[b]", "a['b'", "a['b']c", "'a'"]
)
def test_other_texts_are_no_paths(text: str) -> None:
    """The message shows where reading ended."""
    with pytest.raises(PathError, match="is not a path: cannot read"):
        parse_path(text)


@pytest.mark.parametrize("text", ["auc.value", "$.auc.value", "$['auc'].value"])
def test_the_root_of_json_path_means_nothing(text: str) -> None:
    """Some write it, the SDK does not."""
    assert parse_json_path(text) == ("auc", "value")


DESCRIBED: JsonObject = {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b"}}]}


def test_a_name_picks_the_entry_of_a_list_that_carries_it() -> None:
    """Lists such as Outputs are indexed by the member that names their entries."""
    assert follow(DESCRIBED, parse_path("Outputs['train'].S3Output.S3Uri")) == "s3://b"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("Outputs['test']", "no item named `test` at `Outputs`"),
        ("Outputs[2]", "no item 2 at `Outputs`; there are 1"),
        ("Nothing", "no `Nothing` at the top; there is `Outputs`"),
        ("Outputs[0].OutputName.x", "`Outputs[0].OutputName` is a text, it has no `x`"),
        ("Outputs['train'].S3.Uri", "no `S3` at `Outputs['train']`; there is `OutputName`"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ended(path: str, problem: str) -> None:
    """The message names the place and what there is."""
    with pytest.raises(PathError) as raised:
        follow(DESCRIBED, parse_path(path))
    assert problem in str(raised.value)
