"""What keeps others out of what the stacks make: conditions, boundaries, policies of groups."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from pipelines.infra.model import Stack, logical_id
from pipelines.json_types import Json, JsonObject
from tests.golden.infra_projects import CASES, FOLDER, stacks_of
from tests.iam.evaluator import Request, allowed

PROJECTS = [case for case in CASES if case != "example"]
PLACE = "arn:aws:sagemaker:eu-central-1:111122223333"


@cache
def _stacks(case: str) -> tuple[Stack, ...]:
    return stacks_of(FOLDER / case)


def _resources(file: str) -> JsonObject:
    stack = next(one for one in _stacks("accounts") if one.file == file)
    resources: JsonObject = stack.template.document()["Resources"]
    return resources


def _statements(value: Json) -> Iterator[JsonObject]:
    """Yield every statement of every policy in a value."""
    if isinstance(value, dict):
        yield from value.get("Statement", []) if "Version" in value else ()
        for inner in value.values():
            yield from _statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _statements(inner)


@pytest.mark.parametrize("case", PROJECTS)
def test_a_service_acts_for_this_account_alone(case: str) -> None:
    """In trust policies and in those of keys, queues and topics (confused deputy)."""
    found = [
        one
        for stack in _stacks(case)
        for one in _statements(stack.template.document()["Resources"])
        if one["Effect"] == "Allow" and "Service" in (one.get("Principal") or {})
    ]
    assert found
    for statement in found:
        keys = {key for keys in statement["Condition"].values() for key in keys}
        assert keys <= {"aws:SourceAccount", "aws:SourceArn"}
        assert keys


@pytest.mark.parametrize("case", PROJECTS)
def test_nobody_is_let_in_by_a_wildcard(case: str) -> None:
    """`*` stands as a principal only where something is denied."""
    for stack in _stacks(case):
        for statement in _statements(stack.template.document()["Resources"]):
            principal = statement.get("Principal")
            assert statement["Effect"] == "Deny" or principal != "*"


def test_a_boundary_bounds_every_role_of_a_stack() -> None:
    """Each names it, none can do more than it allows, and it gives none anything."""
    boundary: JsonObject = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:*", "sagemaker:*"], "Resource": ["*"]},
            {"Effect": "Deny", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::warehouse/*"]},
        ],
    }
    roles = {n: r for n, r in _resources("churn.yaml").items() if r["Type"] == "AWS::IAM::Role"}
    policies = {
        name: [one["PolicyDocument"] for one in role["Properties"]["Policies"]]
        for name, role in roles.items()
    }
    passing = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    jobs = "arn:aws:iam::111122223333:role/jobs/churn-jobs"
    own = "arn:aws:s3:::churn-ml/churn/runs/a"
    training = f"{PLACE}:training-job/pipelines-a"
    for name, request, stays in (
        ("PipelineRole", Request("sagemaker:CreateTrainingJob", training), True),
        ("PipelineRole", Request("iam:PassRole", jobs, passing), False),
        ("JobRole", Request("s3:PutObject", own), True),
        ("JobRole", Request("s3:GetObject", "arn:aws:s3:::warehouse/customers/a"), False),
        ("DeployRole", Request("iam:PassRole", jobs, passing), False),
    ):
        assert allowed(request, policies[name])
        assert allowed(request, policies[name], boundary) is stays
    assert not allowed(Request("s3:DeleteObject", own), policies["JobRole"], boundary), (
        "a boundary gives nothing"
    )
    condition = {"Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}]}
    for role in roles.values():
        assert role["Properties"]["PermissionsBoundary"]["Fn::If"][:2] == condition["Fn::If"]


def test_the_accounts_after_a_groups_own_may_read_its_versions() -> None:
    """Exactly these, and only read; the last account's group is its own."""
    for file, group in (("churn.yaml", "churn"), ("churn-staging.yaml", "churn-staging")):
        policy = _resources(file)[logical_id("Group", group)]["Properties"][
            "ModelPackageGroupPolicy"
        ]
        [statement] = policy["Statement"]
        assert statement["Principal"] == {"AWS": ["arn:aws:iam::444455556666:root"]}
        assert statement["Action"] == [
            "sagemaker:DescribeModelPackage",
            "sagemaker:DescribeModelPackageGroup",
            "sagemaker:ListModelPackages",
        ]
        versions = [f"{PLACE}:model-package-group/{group}", f"{PLACE}:model-package/{group}/*"]
        assert statement["Resource"] == versions
    assert (
        "ModelPackageGroupPolicy" not in _resources("churn-prod.yaml")["GroupChurn"]["Properties"]
    )


def test_a_group_of_one_account_is_nobody_elses() -> None:
    """Environments in one account need no policy."""
    groups = [
        one["Properties"]
        for stack in _stacks("shared")
        for one in stack.template.document()["Resources"].values()
        if one["Type"] == "AWS::SageMaker::ModelPackageGroup"
    ]
    assert all("ModelPackageGroupPolicy" not in one for one in groups)


@pytest.mark.parametrize("case", PROJECTS)
def test_a_policy_for_people_fits_and_is_attached_to_nobody(case: str) -> None:
    """6,144 characters, white space not counted; who gets it is the account's decision."""
    for stack in _stacks(case):
        for one in stack.template.document()["Resources"].values():
            if one["Type"] == "AWS::IAM::ManagedPolicy":
                properties = one["Properties"]
                assert not {"Users", "Groups", "Roles"} & set(properties)
                assert len("".join(str(properties["PolicyDocument"]).split())) <= 6_144
