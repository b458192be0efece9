"""Roles: there, trusted by SageMaker, and allowed what the pipeline needs of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import unquote

from pipelines.account.account import Account
from pipelines.account.health.check import MADE_BY, Check, missing, ok, unknown
from pipelines.compile.grants import PASSED_TO_SAGEMAKER, Condition, Permission
from pipelines.execution.caller import CallRefusedError
from pipelines.json_types import Json, JsonObject
from pipelines.spec.model import Aws

_ASSUMED = re.compile(
    r"arn:(?P<partition>[^:]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/"
)
_Use: TypeAlias = tuple[str, tuple[Condition, ...]]
"""An action, and the conditions that hold when it is used."""

_On: TypeAlias = tuple[tuple[str, ...], tuple[Condition, ...]]
"""The resources that an action is on, and such conditions."""

_TRUST = """\
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", \
"Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole", \
"Condition": {"StringEquals": {"aws:SourceAccount": "ACCOUNT"}}}]}"""

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


def check_caller(account: Account, arn: str, aws: Aws) -> Iterator[Check]:
    """Check what whoever calls may do."""
    assumed = _ASSUMED.match(arn)
    source = arn
    if assumed:
        source = f"arn:{assumed['partition']}:iam::{assumed['account']}:role/{assumed['role']}"
    if source.endswith(":root"):
        yield ok("your permissions", "the account's root may do everything")
        return
    yield _simulated(account, "your permissions", source, {((), ()): _CALLING})
    passing = ((aws.role,), (PASSED_TO_SAGEMAKER,))
    yield _simulated(account, "passing the role", source, {passing: ("iam:PassRole",)})


def check_roles(account: Account, aws: Aws, permissions: Iterable[Permission]) -> Iterator[Check]:
    """Check every role that the pipeline uses."""
    subjects = {aws.deploy_role: "deploy role", aws.job_role: "job role", aws.role: "role"}
    needed: dict[str, dict[_Use, set[str]]] = {aws.role: {}}
    for permission in permissions:
        uses = needed.setdefault(permission.role, {})
        use = (permission.action, permission.conditions)
        uses.setdefault(use, set()).update(permission.resources)
    for arn, uses in needed.items():
        name = arn.rpartition("/")[2]
        yield from _check_role(account, subjects.get(arn, f"role {name}"), arn, uses)


def _check_role(
    account: Account, subject: str, arn: str, uses: Mapping[_Use, set[str]]
) -> Iterator[Check]:
    owner, name = arn.split(":")[4], arn.rpartition("/")[2]
    if owner != account.account_id():
        yield missing(
            subject,
            f"{arn} belongs to account {owner}, your credentials to {account.account_id()}",
            "name a role of this account in `aws:`, or log in to the other account",
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
            f"set its trust policy to {_trust(arn)}",
        )
        return
    yield ok(subject, f"{arn}, which SageMaker may assume")
    requests: dict[_On, list[str]] = {}
    for (action, conditions), resources in uses.items():
        requests.setdefault((tuple(sorted(resources)), conditions), []).append(action)
    yield _simulated(account, f"{subject}'s permissions", str(role["Arn"]), requests)


def _no_role(subject: str, arn: str, error: CallRefusedError) -> Check:
    if error.is_missing:
        return missing(
            subject,
            f"there is no role {arn}",
            f"create it, trusted by SageMaker: aws iam create-role --role-name "
            f"{arn.rpartition('/')[2]} --assume-role-policy-document '{_trust(arn)}'; {MADE_BY}",
        )
    return unknown(subject, error)


def _trust(arn: str) -> str:
    return _TRUST.replace("ACCOUNT", arn.split(":")[4])


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
    account: Account, subject: str, source: str, requests: Mapping[_On, Sequence[str]]
) -> Check:
    """Check that IAM would allow actions.

    Args:
        account: the account.
        subject: what the check is of.
        source: the ARN of the role or user.
        requests: what it is on → the actions; no resource stands for every one.
    """
    denied: list[str] = []
    try:
        for on, actions in requests.items():
            denied.extend(_denied(account, source, on, actions))
    except CallRefusedError as error:
        return unknown(subject, error)
    if denied:
        named = ", ".join(dict.fromkeys(denied))
        return missing(
            subject,
            f"not allowed: {named}",
            f"allow {named} in a policy of {source.rpartition('/')[2]}"
            " (a policy for fewer resources than were asked about may be enough)",
        )
    return ok(subject, f"{sum(map(len, requests.values()))} actions allowed")


def _context(condition: Condition) -> JsonObject:
    """Return what holds in a call, for IAM's simulation of it."""
    many = condition.operator.startswith("For")
    kind = "boolean" if condition.operator == "Bool" else "stringList" if many else "string"
    values = [value.replace("*", "Jobs") for value in condition.values[:1]]
    return {
        "ContextKeyName": condition.key,
        "ContextKeyType": kind,
        "ContextKeyValues": values,
    }


def _denied(account: Account, source: str, on: _On, actions: Sequence[str]) -> Iterator[str]:
    resources, conditions = on
    request: JsonObject = {"PolicySourceArn": source, "ActionNames": list(actions)}
    if resources:
        request["ResourceArns"] = list(resources)
    if conditions:
        request["ContextEntries"] = [_context(condition) for condition in conditions]
    found = account.pages("iam", "simulate_principal_policy", "EvaluationResults", **request)
    for result in found:
        if result["EvalDecision"] != "allowed":
            resource = result.get("EvalResourceName", "*")
            where = "" if resource == "*" else f" on {resource}"
            yield f"{result['EvalActionName']}{where}"
