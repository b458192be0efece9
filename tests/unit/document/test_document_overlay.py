"""Environments are merged over a document, and every value keeps its place."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.diagnostics import Finding, Severity
from pipelines.document import Document, MergeRules, choose, overlay, parse
from pipelines.errors import UsageError
from pipelines.json_types import Json

_RULES = MergeRules(
    exclusive=((("steps", "*"), frozenset({"serverless", "realtime", "batch"})),),
    frozen=(("steps", "*", "kind"),),
)
_TEXT = """\
aws: {region: us-east-1, bucket: one}
list: [1, 2, 3]
steps:
  deploy:
    kind: deployment
    serverless: {memory: 2048}
    options: {batch: 1, realtime: 2}
environments:
  prod:
    aws: {bucket: two}
    list: [4]
    steps:
      deploy:
        realtime: {count: 2}
  empty:
  none: {}
  dev:
    aws: null
    steps:
      deploy:
        kind: processing
        options: {batch: 3}
      other: {kind: fail}
    nothing: null
  wrong: [1]
"""
_KEYS = st.sampled_from(["a", "b", "c", "d"])
_MAPPINGS = st.recursive(
    st.dictionaries(_KEYS, st.integers() | st.lists(st.integers(), max_size=2), max_size=3),
    lambda inner: st.dictionaries(_KEYS, inner | st.integers(), max_size=3),
    max_leaves=8,
)


def _document(text: str) -> Document:
    document = parse(text, "p.yaml").document
    assert document is not None
    return document


def _merged(environment: str) -> Document:
    merged = choose(_document(_TEXT), environment, _RULES)
    assert merged.document is not None
    return merged.document


def _line(document: Document, *path: str | int) -> int:
    span = document.locate(Finding("SP1", "m", path)).span
    assert span is not None
    return span.line


def _merge(base: Json, over: Json) -> Json:
    """Merge as RFC 7386 does, for values without null."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return base | {key: _merge(base.get(key), value) for key, value in over.items()}


def test_an_environment_is_merged_with_its_places() -> None:
    """Maps merge, lists replace, deployment modes replace each other, environments go."""
    document = _merged("prod")
    assert document.data == {
        "aws": {"region": "us-east-1", "bucket": "two"},
        "list": [4],
        "steps": {
            "deploy": {
                "kind": "deployment",
                "options": {"batch": 1, "realtime": 2},
                "realtime": {"count": 2},
            }
        },
    }
    assert _line(document, "aws", "region") == 1
    assert _line(document, "aws", "bucket") == 10
    assert _line(document, "list", 0) == 11
    assert _line(document, "steps", "deploy", "realtime", "count") == 14
    assert _line(document, "steps", "deploy", "kind") == 5


@pytest.mark.parametrize("environment", ["empty", "none"])
def test_an_empty_environment_changes_nothing(environment: str) -> None:
    """Data and places are those of the document without `environments`."""
    document = _document(_TEXT)
    merged = _merged(environment)
    assert merged.data == {k: v for k, v in document.data.items() if k != "environments"}
    assert merged.spans == {
        path: place for path, place in document.spans.items() if path[:1] != ("environments",)
    }


def test_null_removes_and_a_frozen_key_stays() -> None:
    """A kind cannot change; a removal of nothing is a warning; both at their lines."""
    parsed = choose(_document(_TEXT), "dev", _RULES)
    assert parsed.document is not None
    assert "aws" not in parsed.document.data
    steps = parsed.document.data["steps"]
    assert steps["deploy"]["kind"] == "deployment"
    assert steps["deploy"]["options"] == {"batch": 3, "realtime": 2}
    assert steps["other"] == {"kind": "fail"}
    found = [(item.code, item.severity, item.span and item.span.line) for item in parsed.findings]
    assert found == [("SP112", Severity.ERROR, 21), ("SP116", Severity.WARNING, 24)]
    assert parsed.findings[0].message == "an environment cannot change the `kind` of `deploy`"


def test_an_environment_is_a_mapping() -> None:
    """A list changes nothing and is an error at its key."""
    parsed = choose(_document(_TEXT), "wrong", _RULES)
    assert [(item.code, item.span and item.span.line) for item in parsed.findings] == [
        ("SP112", 25)
    ]


def test_an_unknown_environment_is_a_mistake_of_the_command_line() -> None:
    """The nearest one is named."""
    with pytest.raises(UsageError, match="there is no environment `prdo`") as caught:
        choose(_document(_TEXT), "prdo", _RULES)
    assert caught.value.remedy == "did you mean `prod`?"
    with pytest.raises(UsageError) as caught:
        choose(_document("a: 1\n"), "prod")
    assert caught.value.remedy == "this file has no `environments:`"


@given(_MAPPINGS, _MAPPINGS)
def test_merging_follows_its_laws(base: Json, over: Json) -> None:
    """The result is that of a plain merge, and each path of it has a place with its text."""
    text = yaml.safe_dump({"base": base, "x": {"o": {"base": over}}})
    document = _document(text)
    merged = overlay(document, ("x", "o"))
    assert merged.findings == ()
    assert merged.document is not None
    assert merged.document.data == {"base": _merge(base, over)}
    paths: set[tuple[str | int, ...]] = {(), ("base",)}
    _collect(merged.document.data["base"], ("base",), paths)
    assert set(merged.document.spans) == paths
    places = set(document.spans.values())
    assert set(merged.document.spans.values()) <= places


def _collect(value: Json, path: tuple[str | int, ...], paths: set[tuple[str | int, ...]]) -> None:
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in entries:
        paths.add((*path, key))
        if isinstance(part, dict | list):
            _collect(part, (*path, key), paths)
