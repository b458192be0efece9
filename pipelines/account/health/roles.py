"""Roles: there, trusted by SageMaker, and allowed what the steps do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

from pipelines.account.account import Account
from pipelines.account.health.check import Check, missing, ok, unknown
from pipelines.execution.caller import CallRefusedError
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


def check_caller(account: Account, arn: str, aws: Aws) -> Iterator[Check]:
    """Check what whoever calls may do."""
    assumed = _ASSUMED.match(arn)
    source = arn
    if assumed:
        source = f"arn:{assumed['partition']}:iam::{assumed['account']}:role/{assumed['role']}"
    if source.endswith(":root"):
        yield ok("your permissions", "the account's root may do everything")
        return
    yield _simulated(account, "your permissions", source, _CALLING)
    pass_role = {"ResourceArns": [aws.role]}
    yield _simulated(account, "passing the role", source, ("iam:PassRole",), pass_role)


def check_role(
    account: Account, subject: str, arn: str, permissions: tuple[str, ...]
) -> Iterator[Check]:
    """Check a role that SageMaker takes."""
    owner, name = arn.split(":")[4], arn.rpartition("/")[2]
    if owner != account.account_id():
        yield missing(
            subject,
            f"{arn} belongs to account {owner}, your credentials to {account.account_id()}",
            "name a role of this account in `aws:`, or log into the other one",
        )
        return
    try:
        role = account.call("iam", "get_role", RoleName=name)["Role"]
    except CallRefusedError as error:
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
    yield _simulated(account, f"{subject}'s permissions", str(role["Arn"]), permissions)


def _no_role(subject: str, arn: str, error: CallRefusedError) -> Check:
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
    account: Account,
    subject: str,
    source: str,
    actions: tuple[str, ...],
    more: JsonObject | None = None,
) -> Check:
    request = {"PolicySourceArn": source, "ActionNames": list(actions), **(more or {})}
    try:
        answers = list(
            account.pages("iam", "simulate_principal_policy", "EvaluationResults", **request)
        )
    except CallRefusedError as error:
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
