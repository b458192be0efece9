"""The evaluator decides as IAM does."""

from __future__ import annotations

import pytest

from pipelines.json_types import JsonObject
from tests.iam.evaluator import Context, Request, allowed

BUCKET = "arn:aws:s3:::team"
READ = Request("s3:GetObject", f"{BUCKET}/churn/code/a")


def policy(*statements: JsonObject) -> JsonObject:
    """Make a document; what a statement does not say allows everything."""
    plain = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [{**plain, **one} for one in statements]}


def test_what_nothing_allows_is_denied() -> None:
    """Implicitly: another action, another resource, no statement at all."""
    assert not allowed(READ, [])
    assert not allowed(READ, [policy({"Action": "s3:PutObject"})])
    assert not allowed(READ, [policy({"Resource": f"{BUCKET}/churn/runs/*"})])


def test_one_statement_of_any_policy_is_enough() -> None:
    """Of several identity policies; single texts and lists are the same."""
    right = policy({"Action": ["s3:GetObject"], "Resource": [f"{BUCKET}/churn/code/*"]})
    assert allowed(READ, [policy({"Action": "x:Y"}), right])


def test_an_explicit_deny_wins() -> None:
    """Wherever it stands, also in a boundary."""
    deny = policy({"Effect": "Deny", "Action": "s3:*"})
    assert not allowed(READ, [policy({}), deny])
    assert not allowed(READ, [policy({})], policy({}, {"Effect": "Deny"}))


def test_a_boundary_bounds_and_gives_nothing() -> None:
    """Both have to allow it."""
    assert allowed(READ, [policy({})], policy({"Action": "s3:Get*"}))
    assert not allowed(READ, [policy({})], policy({"Action": "s3:Put*"}))
    assert not allowed(READ, [policy({"Action": "x:Y"})], policy({}))


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("arn:aws:s3:::team/churn/*", True),
        ("arn:aws:s3:::team/*/a", True),
        ("arn:aws:s3:::team/churn/code/?", True),
        ("arn:aws:s3:::team/churn/code/??", False),
        ("arn:aws:s3:::TEAM/churn/*", False),
        ("arn:aws:s3:::team", False),
        ("arn:*", False),
        ("arn:aws:s3*team/churn/code/a", False),
        ("arn:*:*:*:*:*", True),
        ("*", True),
    ],
)
def test_wildcards_of_a_resource(pattern: str, *, matches: bool) -> None:
    """`*` goes over slashes, `?` is one character, and neither goes over a colon; case counts."""
    assert allowed(READ, [policy({"Resource": pattern})]) is matches


def test_the_last_part_of_an_arn_may_hold_colons() -> None:
    """As a log stream has them."""
    stream = "arn:aws:logs:r:1:log-group:/aws/sagemaker/TrainingJobs:log-stream:x"
    group = "arn:aws:logs:r:1:log-group:/aws/sagemaker/TrainingJobs*"
    assert allowed(Request("logs:PutLogEvents", stream), [policy({"Resource": group})])


def test_actions_are_compared_without_case() -> None:
    """As IAM does it."""
    assert allowed(READ, [policy({"Action": "S3:getobject"})])
    assert allowed(READ, [policy({"Action": "s3:Get?bject"})])


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"k": "a"}}, {"k": "a"}, True),
        ({"StringEquals": {"k": ["a", "b"]}}, {"k": "b"}, True),
        ({"StringEquals": {"k": "a"}}, {"k": "A"}, False),
        ({"StringEquals": {"k": "a"}}, {}, False),
        ({"StringEquals": {"K": "a"}}, {"k": "a"}, True),
        ({"StringEqualsIfExists": {"k": "a"}}, {}, True),
        ({"StringEqualsIfExists": {"k": "a"}}, {"k": "b"}, False),
        ({"StringEqualsIgnoreCase": {"k": "a"}}, {"k": "A"}, True),
        ({"StringNotEquals": {"k": ["a", "b"]}}, {"k": "a"}, False),
        ({"StringNotEquals": {"k": "a"}}, {}, True),
        ({"StringLike": {"k": "/aws/*"}}, {"k": "/aws/sagemaker/x"}, True),
        ({"StringLike": {"k": "/aws/*"}}, {"k": "other"}, False),
        ({"StringNotLike": {"k": "/aws/*"}}, {"k": "other"}, True),
        ({"ArnLike": {"k": "arn:aws:iam::1:role/*"}}, {"k": "arn:aws:iam::1:role/a/b"}, True),
        ({"ArnLike": {"k": "arn:aws:iam::*"}}, {"k": "arn:aws:iam::1:role/a"}, False),
        ({"ArnNotLike": {"k": "arn:aws:iam::1:role/*"}}, {"k": "arn:aws:iam::1:user/a"}, True),
        ({"Bool": {"k": "true"}}, {"k": "true"}, True),
        ({"Bool": {"k": True}}, {"k": "true"}, True),
        ({"Bool": {"k": "true"}}, {"k": "false"}, False),
        ({"Bool": {"k": "true"}}, {}, False),
        ({"Null": {"k": "true"}}, {}, True),
        ({"Null": {"k": "false"}}, {}, False),
        ({"ForAnyValue:StringEquals": {"k": "a"}}, {"k": ("b", "a")}, True),
        ({"ForAnyValue:StringEquals": {"k": "a"}}, {}, False),
        ({"ForAllValues:StringEquals": {"k": "a"}}, {"k": ("b", "a")}, False),
        ({"ForAllValues:StringEquals": {"k": "a"}}, {}, True),
        ({"StringEquals": {"k": "a", "l": "b"}}, {"k": "a", "l": "c"}, False),
        ({"StringEquals": {"k": "a"}, "Bool": {"l": "true"}}, {"k": "a", "l": "true"}, True),
    ],
)
def test_conditions(condition: JsonObject, context: Context, *, holds: bool) -> None:
    """Values are alternatives; keys and operators all have to hold; a missing key matches none."""
    request = Request("x:Y", "*", context)
    assert allowed(request, [policy({"Condition": condition})]) is holds


@pytest.mark.parametrize(
    "statement",
    [
        {"NotAction": "x:Y"},
        {"NotResource": "*"},
        {"Principal": "*"},
        {"Resource": "arn:aws:s3:::${aws:username}"},
        {"Condition": {"StringEquals": {"many": "a"}}},
        {"Condition": {"ForSome:StringEquals": {"k": "a"}}},
    ],
)
def test_what_is_not_known_is_an_error(statement: JsonObject) -> None:
    """A guess could allow what IAM denies."""
    request = Request("x:Y", "arn:aws:s3:::b", {"k": "a", "many": ("a", "b")})
    with pytest.raises(NotImplementedError):
        allowed(request, [policy(statement)])


def test_an_operator_that_is_not_known_is_an_error() -> None:
    """Numbers, dates and addresses stand in no policy of ours."""
    with pytest.raises(KeyError):
        allowed(
            Request("x:Y", "*", {"k": "1"}), [policy({"Condition": {"NumericEquals": {"k": 1}}})]
        )
