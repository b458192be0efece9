"""Permissions become statements: grouped, sorted, named apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.compile.driver import compile_spec
from pipelines.compile.grants import Condition, Permission
from pipelines.compile.model import CompileRequest
from pipelines.infra.model import Place
from pipelines.infra.policies import (
    WITHOUT_ARN,
    RolePolicy,
    on_the_key,
    policies,
    statements,
    trust,
    unknown,
)
from pipelines.spec.model import Aws
from pipelines.steptypes import every

CASES = Path(__file__).parents[2] / "golden/cases"
ROLE = "arn:aws:iam::111122223333:role/x"
IF = (Condition("Bool", "a:b", ("true",)),)


def compiled_policies(case: str, env: str | None = None) -> tuple[RolePolicy, ...]:
    """Return the policies of a golden case."""
    result = compile_spec(CompileRequest(CASES / case / "pipeline.yaml", env, {}))
    assert result.compiled is not None
    assert result.checked.graph is not None
    assert result.checked.graph.spec.aws is not None
    return policies(result.compiled, result.checked.graph.spec.aws)


def test_actions_on_the_same_resources_are_one_statement() -> None:
    """Whichever steps they are for; under other conditions they are another one."""
    needed = [
        Permission(ROLE, "b", "s3:PutObject", ("arn:2", "arn:1")),
        Permission(ROLE, "a", "s3:GetObject", ("arn:1",)),
        Permission(ROLE, "b", "s3:GetObject", ("arn:2",)),
        Permission(ROLE, "b", "s3:GetObject", ("arn:1",), IF),
    ]
    made = statements(needed)
    assert [(one.actions, one.resources, one.steps) for one in made] == [
        (("s3:GetObject",), ("arn:1",), ("b",)),
        (("s3:GetObject", "s3:PutObject"), ("arn:1", "arn:2"), ("b", "a")),
    ]
    assert made[0].document()["Condition"] == {"Bool": {"a:b": ["true"]}}
    assert statements(reversed(needed))[1].document() == made[1].document()


def test_prefixes_of_one_bucket_are_alternatives_of_one_condition() -> None:
    """Of another bucket, or beside another condition, they are another statement."""
    prefixes = [
        (Condition("StringLike", "s3:prefix", (name,)),) for name in ("p/runs/*", "p/code/*")
    ]
    needed = [
        Permission(ROLE, "a", "s3:ListBucket", ("arn:1",), prefixes[0]),
        Permission(ROLE, "b", "s3:ListBucket", ("arn:1",), prefixes[1]),
        Permission(ROLE, "b", "s3:ListBucket", ("arn:2",), prefixes[1]),
        Permission(ROLE, "b", "s3:ListBucket", ("arn:1",), (*prefixes[1], *IF)),
        Permission(ROLE, "c", "s3:ListBucket", ("arn:3",)),
    ]
    found = {
        (one.resources, one.steps): one.conditions.get("StringLike", {}).get("s3:prefix")
        for one in statements(needed)
    }
    assert found == {
        (("arn:1",), ("a", "b")): ("p/code/*", "p/runs/*"),
        (("arn:2",), ("b",)): ("p/code/*",),
        (("arn:1",), ("b",)): ("p/code/*",),
        (("arn:3",), ("c",)): None,
    }


def test_what_is_on_no_known_resource_is_told_and_in_no_policy() -> None:
    """An empty list of resources would be refused by IAM, and `*` would be everything."""
    needed = [Permission(ROLE, "a", "iam:PassRole"), Permission(ROLE, "a", "x:Y", ("*",))]
    assert [one.actions for one in statements(needed)] == [("x:Y",)]
    assert unknown(needed) == (needed[0],)


@pytest.mark.parametrize("case", ["roles", "network", "registration_full", "data_sources"])
def test_only_actions_with_a_reason_are_on_everything(case: str) -> None:
    """Each of the others names ARNs."""
    for policy in compiled_policies(case):
        for statement in policy.statements:
            if "*" in statement.resources:
                assert set(statement.actions) <= set(WITHOUT_ARN)
                assert statement.resources == ("*",)


def test_only_types_with_a_reason_need_an_action_on_everything() -> None:
    """What a Type declares on `*` is in the table of reasons."""
    found = {action for one in every() for action, nouns in one.permissions.items() if "*" in nouns}
    assert found <= set(WITHOUT_ARN)


def test_the_same_pipeline_gives_the_same_policies() -> None:
    """Sids too; they are different from each other."""
    first, second = compiled_policies("roles"), compiled_policies("roles")
    assert first == second
    for policy in first:
        sids = [one.sid for one in policy.statements]
        assert len(set(sids)) == len(sids)
        assert all(sid.isalnum() for sid in sids)


def test_roles_are_passed_to_sagemaker_alone_and_only_those_below() -> None:
    """The pipeline's role passes the two others, the deployer's that of the jobs, which none."""
    passed = {
        policy.purpose: [
            (statement.resources, statement.conditions)
            for statement in policy.statements
            if "iam:PassRole" in statement.actions
        ]
        for policy in compiled_policies("roles")
    }
    to_sagemaker = {"StringEquals": {"iam:PassedToService": ("sagemaker.amazonaws.com",)}}
    jobs, deploy = (f"arn:aws:iam::111122223333:role/{name}" for name in ("jobs", "deploy"))
    assert passed == {
        "pipeline": [((deploy, jobs), to_sagemaker)],
        "job": [],
        "deploy": [((jobs,), to_sagemaker)],
    }


def test_one_role_for_everything_has_one_policy() -> None:
    """As before there were several."""
    (policy,) = compiled_policies("registration_minimal")
    assert policy.purpose == "pipeline"


def test_a_service_assumes_a_role_for_its_own_account_alone() -> None:
    """Else somebody else's job could use it (confused deputy)."""
    (statement,) = trust("sagemaker.amazonaws.com", "111122223333")["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}


KEY = "arn:aws:kms:us-east-1:111122223333:key"
ALIAS = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ("alias/team",)}}


@pytest.mark.parametrize(
    ("key", "resource", "conditions"),
    [
        ("1a-2b", f"{KEY}/1a-2b", {}),
        (f"{KEY}/1a-2b", f"{KEY}/1a-2b", {}),
        (f"{KEY.replace('1111', '4444')}/x", f"{KEY.replace('1111', '4444')}/x", {}),
        ("alias/team", f"{KEY}/*", ALIAS),
        (f"{KEY.removesuffix('key')}alias/team", f"{KEY}/*", ALIAS),
    ],
)
def test_a_key_is_named_by_its_arn_and_an_alias_is_a_condition(
    key: str, resource: str, conditions: dict[str, object]
) -> None:
    """A statement on an alias would allow nothing: KMS asks about the key."""
    aws = Aws(role=ROLE, kms_key=key)
    (statement,) = on_the_key("Key", ("kms:Decrypt",), aws)
    assert statement.resources == (resource,)
    assert statement.conditions == conditions


def test_without_a_key_there_is_no_statement_on_one() -> None:
    """The bucket's own encryption needs none."""
    assert on_the_key("Key", ("kms:Decrypt",), Aws()) == ()


def test_a_name_in_capitals_stands_in_small_letters_too() -> None:
    """`AbalonePipeline` has been answered as `pipeline/abalonepipeline`."""
    place = Place("111122223333", "us-east-1", "aws")
    arn = "arn:aws:sagemaker:us-east-1:111122223333:pipeline"
    assert place.sagemaker("pipeline/Churn") == (f"{arn}/Churn", f"{arn}/churn")
    assert place.sagemaker("pipeline/churn") == (f"{arn}/churn",)
