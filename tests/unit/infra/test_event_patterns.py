"""The tests' evaluator of EventBridge patterns, by the examples of the user guide."""

from __future__ import annotations

import pytest

from pipelines.json_types import JsonObject
from tests.event_patterns import InvalidPatternError, matches

EVENT: JsonObject = {
    "source": "aws.sagemaker",
    "count": 5,
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
    # numeric
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


@pytest.mark.parametrize(
    "pattern",
    [
        {},
        {"source": "aws.sagemaker"},
        {"source": []},
        {"source": [{"like": "x"}]},
        {"source": [{"prefix": "a", "suffix": "b"}]},
        {"source": [["aws.sagemaker"]]},
        {"source": [{"exists": "true"}]},
        {"$or": [{"count": [5]}]},
        {"detail": {"$or": {"count": [5]}}},
    ],
)
def test_what_the_service_refuses_is_no_pattern(pattern: JsonObject) -> None:
    """A rule with it could not be made, so nothing may be said of what it takes."""
    with pytest.raises(InvalidPatternError):
        matches(pattern, EVENT)
