"""The evaluator of EventBridge patterns, by the examples of the user guide."""

from __future__ import annotations

import pytest

from pipelines.backends.local.events.patterns import findings, matches
from pipelines.diagnostics import Path
from pipelines.json_types import JsonObject

EVENT: JsonObject = {
    "source": "aws.sagemaker",
    "count": 5,
    "ratio": 5.0,
    "address": "10.0.0.17",
    "file": "a/*/b.txt",
    "nobody": [],
    "done": True,
    "nothing": None,
    "empty": "",
    "resources": ["arn:a/1", "arn:b/2"],
    "detail": {"state": "Completed", "fields": ["one", "two"], "inner": {"name": "alice.PNG"}},
    "parts": [{"kind": "a", "size": 1}, {"kind": "b", "size": 2}],
}
CASES: list[tuple[JsonObject, bool]] = [
    ({"source": ["aws.sagemaker"]}, True),
    ({"source": ["aws.s3", "aws.sagemaker"]}, True),
    ({"source": ["aws.SageMaker"]}, False),
    ({"source": ["aws.sagemaker"], "count": [6]}, False),
    ({"absent": ["aws.sagemaker"]}, False),
    # numbers, texts and booleans are three sorts
    ({"count": [5]}, True),
    ({"count": ["5"]}, False),
    ({"done": [True]}, True),
    ({"done": ["true"]}, False),
    ({"done": [1]}, False),
    # null and the empty text are not the same, nor is a missing field
    ({"nothing": [None]}, True),
    ({"empty": [None]}, False),
    ({"empty": [""]}, True),
    ({"absent": [None]}, False),
    # lists: one element in common
    ({"resources": ["arn:b/2"]}, True),
    ({"resources": ["arn:c/3"]}, False),
    ({"resources": [{"prefix": "arn:b"}]}, True),
    # nested
    ({"detail": {"state": ["Completed"]}}, True),
    ({"detail": {"state": ["Failed"]}}, False),
    ({"detail": {"inner": {"name": [{"prefix": "alice"}]}}}, True),
    ({"detail": ["Completed"]}, False),
    ({"source": {"state": ["Completed"]}}, False),
    ({"parts": {"kind": ["b"], "size": [2]}}, True),
    ({"parts": {"kind": ["b"], "size": [1]}}, False),
    # prefix, suffix, case, wildcard
    ({"source": [{"prefix": "aws."}]}, True),
    ({"source": [{"prefix": "sage"}]}, False),
    ({"source": [{"prefix": {"equals-ignore-case": "AWS."}}]}, True),
    ({"detail": {"inner": {"name": [{"suffix": ".png"}]}}}, False),
    ({"detail": {"inner": {"name": [{"suffix": {"equals-ignore-case": ".png"}}]}}}, True),
    ({"detail": {"inner": {"name": [{"wildcard": "*.P*G"}]}}}, True),
    ({"source": [{"equals-ignore-case": "AWS.SageMaker"}]}, True),
    ({"count": [{"prefix": "5"}]}, False),
    # exists: leaf nodes alone
    ({"source": [{"exists": True}]}, True),
    ({"source": [{"exists": False}]}, False),
    ({"absent": [{"exists": False}]}, True),
    ({"absent": {"below": [{"exists": False}]}}, True),
    ({"detail": [{"exists": True}]}, False),
    ({"nothing": [{"exists": True}]}, True),
    # anything-but: of a field that is there
    ({"detail": {"state": [{"anything-but": "Failed"}]}}, True),
    ({"detail": {"state": [{"anything-but": ["Completed", "Failed"]}]}}, False),
    ({"detail": {"state": [{"anything-but": {"prefix": "Comp"}}]}}, False),
    ({"detail": {"state": [{"anything-but": {"suffix": "x"}}]}}, True),
    ({"count": [{"anything-but": 5}]}, False),
    ({"absent": [{"anything-but": "x"}]}, False),
    ({"detail": {"state": [{"anything-but": {"prefix": ["Fail", "Stop"]}}]}}, True),
    ({"detail": {"state": [{"anything-but": {"equals-ignore-case": ["COMPLETED"]}}]}}, False),
    ({"file": [{"anything-but": {"wildcard": "*/b.*"}}]}, False),
    ({"resources": [{"anything-but": "arn:a/1"}]}, True),
    # wildcard: a backslash takes its meaning
    ({"file": [{"wildcard": "a/\\*/b.txt"}]}, True),
    ({"file": [{"wildcard": "a/\\*b.txt"}]}, False),
    ({"file": [{"wildcard": "a/?/b.txt"}]}, False),
    # cidr
    ({"address": [{"cidr": "10.0.0.0/24"}]}, True),
    ({"address": [{"cidr": "10.0.1.0/24"}]}, False),
    ({"source": [{"cidr": "10.0.0.0/24"}]}, False),
    ({"address": [{"cidr": "fd00::/8"}]}, False),
    # an empty list has no value
    ({"nobody": [{"exists": False}]}, True),
    ({"nobody": [{"anything-but": "x"}]}, False),
    # numeric
    ({"ratio": [5]}, False),
    ({"ratio": [{"numeric": ["=", 5]}]}, True),
    ({"done": [{"numeric": ["=", 1]}]}, False),
    ({"count": [{"numeric": [">", 4, "<=", 5]}]}, True),
    ({"count": [{"numeric": ["<", 5]}]}, False),
    ({"source": [{"numeric": ["=", 5]}]}, False),
    # $or beside other fields, nested, within another
    ({"$or": [{"count": [6]}, {"source": ["aws.sagemaker"]}]}, True),
    ({"$or": [{"count": [6]}, {"source": ["aws.s3"]}]}, False),
    ({"done": [False], "$or": [{"count": [5]}, {"count": [6]}]}, False),
    ({"detail": {"$or": [{"state": ["x"]}, {"fields": [{"exists": False}]}]}}, False),
    ({"detail": {"$or": [{"fields": ["two"]}, {"fields": [{"exists": False}]}]}}, True),
    ({"$or": [{"count": [6]}, {"$or": [{"count": [7]}, {"count": [5]}]}]}, True),
]


@pytest.mark.parametrize(("pattern", "taken"), CASES)
def test_an_event_is_taken_as_the_guide_says(pattern: JsonObject, *, taken: bool) -> None:
    """Exact values, prefixes and suffixes, `exists`, `anything-but`, `$or`, nested."""
    assert matches(pattern, EVENT) is taken


REFUSED: list[tuple[JsonObject, Path, str]] = [
    ({}, (), "at least one field"),
    ({"source": "aws.sagemaker"}, ("source",), "a list of values"),
    ({"source": []}, ("source",), "a list of values"),
    ({"detail": {}}, ("detail",), "at least one field"),
    ({"source": ["a", {"like": "x"}]}, ("source", 1, "like"), "`like` is not an operator"),
    ({"source": [{}]}, ("source", 0), "exactly one operator"),
    ({"source": [{"prefix": "a", "suffix": "b"}]}, ("source", 0), "exactly one operator"),
    ({"source": [["aws.sagemaker"]]}, ("source", 0), "a list within"),
    ({"source": [{"exists": "true"}]}, ("source", 0, "exists"), "true or false"),
    ({"source": [{"prefix": 5}]}, ("source", 0, "prefix"), "takes a text"),
    ({"source": [{"suffix": {"wildcard": "*"}}]}, ("source", 0, "suffix"), "takes a text"),
    ({"source": [{"wildcard": "a**b"}]}, ("source", 0, "wildcard"), "in a row"),
    ({"count": [{"numeric": [">"]}]}, ("count", 0, "numeric"), "comparisons"),
    ({"count": [{"numeric": ["!=", 5]}]}, ("count", 0, "numeric"), "compares by"),
    ({"count": [{"numeric": [[], 5]}]}, ("count", 0, "numeric"), "compares by"),
    ({"count": [{"numeric": [">", True]}]}, ("count", 0, "numeric"), "compares by"),
    ({"count": [{"anything-but": []}]}, ("count", 0, "anything-but"), "texts or numbers"),
    ({"count": [{"anything-but": {"numeric": []}}]}, ("count", 0, "anything-but"), "or one of"),
    ({"a": [{"cidr": "10.0.0.0/99"}]}, ("a", 0, "cidr"), "address block"),
    ({"$or": [{"count": [5]}]}, ("$or",), "two patterns"),
    ({"detail": {"$or": {"count": [5]}}}, ("detail", "$or"), "two patterns"),
    ({"$or": [{"a": [1]}, {"b": 2}]}, ("$or", 1, "b"), "a list of values"),
]


@pytest.mark.parametrize(("pattern", "path", "says"), REFUSED)
def test_what_the_service_refuses_is_found_where_it_is_written(
    pattern: JsonObject, path: Path, says: str
) -> None:
    """A rule with it could not be made, so nothing may be said of what it takes."""
    (found,) = findings(pattern)
    assert found.path == path
    assert says in found.message


@pytest.mark.parametrize(("pattern", "taken"), CASES)
def test_nothing_is_wrong_with_what_the_guide_has(pattern: JsonObject, *, taken: bool) -> None:
    """Each pattern that is evaluated is one that PutRule takes."""
    del taken
    assert not [*findings(pattern)]
