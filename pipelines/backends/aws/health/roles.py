"""Roles: there, trusted by SageMaker, and allowed what the steps do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.gateway import Gateway
from pipelines.backends.aws.health.check import Check, missing, ok, unknown
from pipelines.json_types import Json, JsonObject
from pipelines.spec.model import Aws

_ASSUMED = re.compile(
    r"arn:(?P<partition>[^:]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/"
)
_TRUST = """\
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", \
"Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"""

_CALLING = (
    "sagemaker:CreatePipeline",
    "sagemaker:UpdatePipeline",
    "sagemaker:DescribePipeline",
    "sagemaker:StartPipelineExecution",
    "sagemaker:DescribePipelineExecution",
    "sagemaker:DescribePipelineDefinitionForExecution",
    "sagemaker:ListPipelineExecutionSteps",
    "sagemaker:CreateModelPackageGroup",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:AddTags",
    "sagemaker:DeleteTags",
    "sagemaker:ListTags",
    "s3:ListBucket",
    "s3:GetObject",
    "s3:PutObject",
)
"""What `upsert` and `start --wait` do."""

DEPLOYING = (
    "sagemaker:CreateModel",
    "sagemaker:DescribeModel",
    "sagemaker:ListModels",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:CreateEndpoint",
    "sagemaker:UpdateEndpoint",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DescribeEndpoint",
    "sagemaker:ListEndpoints",
    "sagemaker:InvokeEndpoint",
    "sagemaker:ListModelPackageGroups",
    "sagemaker:ListModelPackages",
    "sagemaker:DescribeModelPackage",
    "sagemaker:AddTags",
    "iam:PassRole",
    "s3:ListBucket",
    "s3:GetObject",
    "s3:PutObject",
)
"""What the deployment program does."""


def check_caller(gateway: Gateway, arn: str, aws: Aws) -> Iterator[Check]:
    """Check what whoever calls may do."""
    assumed = _ASSUMED.match(arn)
    source = arn
    if assumed:
        source = f"arn:{assumed['partition']}:iam::{assumed['account']}:role/{assumed['role']}"
    if source.endswith(":root"):
        yield ok("your permissions", "the account's root may do everything")
        return
    yield _simulated(gateway, "your permissions", source, _CALLING)
    pass_role = {"ResourceArns": [aws.role]}
    yield _simulated(gateway, "passing the role", source, ("iam:PassRole",), pass_role)


def check_role(
    gateway: Gateway, subject: str, arn: str, permissions: tuple[str, ...]
) -> Iterator[Check]:
    """Check a role that SageMaker takes."""
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    if account != gateway.account():
        yield missing(
            subject,
            f"{arn} belongs to account {account}, your credentials to {gateway.account()}",
            "name a role of this account in `aws:`, or log into the other one",
        )
        return
    try:
        role = gateway.call("iam", "get_role", RoleName=name)["Role"]
    except AwsError as error:
        yield _no_role(subject, arn, error)
        return
    if not _is_trusted(role):
        yield missing(
            subject,
            f"{arn} does not let SageMaker assume it",
            f"set its trust policy to {_TRUST}",
        )
        return
    yield ok(subject, f"{arn}, which SageMaker may assume")
    yield _simulated(gateway, f"{subject}'s permissions", str(role["Arn"]), permissions)


def _no_role(subject: str, arn: str, error: AwsError) -> Check:
    if error.is_missing:
        return missing(
            subject,
            f"there is no role {arn}",
            f"make it, trusted by SageMaker: aws iam create-role --role-name "
            f"{arn.rpartition('/')[2]} --assume-role-policy-document '{_TRUST}'",
        )
    return unknown(subject, error)


def _is_trusted(role: JsonObject) -> bool:
    document = role.get("AssumeRolePolicyDocument") or {}
    if isinstance(document, str):
        document = json.loads(unquote(document))
    statements = _listed(document.get("Statement"))
    return any(
        statement.get("Effect") == "Allow"
        and any(a in {"sts:AssumeRole", "sts:*", "*"} for a in _listed(statement.get("Action")))
        and any(s.startswith("sagemaker.") for s in _services(statement))
        for statement in statements
    )


def _services(statement: JsonObject) -> list[str]:
    principal = statement.get("Principal")
    return _listed(principal.get("Service")) if isinstance(principal, dict) else []


def _listed(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _simulated(
    gateway: Gateway,
    subject: str,
    source: str,
    actions: tuple[str, ...],
    more: JsonObject | None = None,
) -> Check:
    request = {"PolicySourceArn": source, "ActionNames": list(actions), **(more or {})}
    try:
        answers = list(
            gateway.pages("iam", "simulate_principal_policy", "EvaluationResults", **request)
        )
    except AwsError as error:
        return unknown(subject, error)
    denied = [a["EvalActionName"] for a in answers if a["EvalDecision"] != "allowed"]
    if denied:
        named = ", ".join(denied)
        return missing(
            subject,
            f"not allowed: {named}",
            f"allow {named} in a policy of {source.rpartition('/')[2]} "
            "(this looks at every resource: a policy for just the pipeline's own may do)",
        )
    return ok(subject, f"{len(actions)} actions allowed")
