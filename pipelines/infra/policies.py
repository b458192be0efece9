"""Permissions that a compiled pipeline needs → the IAM policy of each of its roles.

`compile/permissions.py` says which role needs which action on what, and for which step. Here these
become statements: those on the same resources under the same conditions are one statement, sorted,
so that the same pipeline gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Final, Literal, TypeAlias

from pipelines.compile.grants import Condition, Permission, on_key
from pipelines.compile.model import Compiled
from pipelines.compile.permissions import permissions
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.spec.model import Aws

Purpose: TypeAlias = Literal["pipeline", "job", "deploy", "approval", "schedule", "build", "review"]
"""What a role is for: the three of `aws:`; the rule that an approval sets off; the schedules; the
builds of a push and of a pull request."""

Conditions: TypeAlias = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Operator → key → values, as `Condition` of a statement."""

VERSION: Final = "2012-10-17"
INLINE_LIMIT: Final = 10_240
MANAGED_LIMIT: Final = 6_144
"""Characters of a role's inline policies together, and of one managed policy, white space not
counted (IAM User Guide, "IAM and AWS STS quotas")."""

WITHOUT_ARN: Final[Mapping[str, str]] = {
    "application-autoscaling:DescribeScalableTargets": "takes no resource",
    "application-autoscaling:DescribeScalingPolicies": "takes no resource",
    "cloudwatch:PutMetricData": "takes no resource; bound to SageMaker's own namespaces",
    "ec2:DescribeDhcpOptions": "takes no resource",
    "ec2:DescribeNetworkInterfaces": "takes no resource",
    "ec2:DescribeSecurityGroups": "takes no resource",
    "ec2:DescribeSubnets": "takes no resource",
    "ec2:DescribeVpcs": "takes no resource",
    "ecr:GetAuthorizationToken": "a token is for all registries that the role may read",
    "elasticmapreduce:RunJobFlow": "the cluster is not there yet",
    "emr-serverless:CreateApplication": "the application is not there yet",
    "events:ListRuleNamesByTarget": "takes no resource",
    "sagemaker:ListEndpointConfigs": "lists take no resource; they show names and times",
    "sagemaker:ListEndpoints": "as above",
    "sagemaker:ListModelPackageGroups": "as above",
    "sagemaker:ListModels": "as above",
    "sagemaker:ListPipelines": "as above",
}
"""The actions that are allowed on `*`, and why (Service Authorization Reference)."""

_NOT_IN_A_SID = re.compile(r"[^A-Za-z0-9]")


@frozen
class Statement:
    """One statement of a policy.

    Args:
        sid: its name in the policy: letters and digits.
        actions: IAM actions, sorted.
        resources: ARNs, sorted; `*` alone where the service takes none.
        conditions: what must hold for it.
        effect: Allow or Deny.
        steps: the steps that need it, in the order of the pipeline.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"
    steps: tuple[str, ...] = ()

    def document(self) -> JsonObject:
        """Return it as a policy document has it."""
        written: JsonObject = {
            "Sid": self.sid,
            "Effect": self.effect,
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            written["Condition"] = {
                operator: {key: list(values) for key, values in keys.items()}
                for operator, keys in self.conditions.items()
            }
        return written


@frozen
class RolePolicy:
    """What a role may do, and who may assume it.

    Args:
        purpose: what the role is for.
        arn: the role; None where the spec names none.
        statements: its permissions.
        trust: the document of its trust policy.
    """

    purpose: Purpose
    arn: str | None
    statements: tuple[Statement, ...]
    trust: JsonObject

    def document(self) -> JsonObject:
        """Return the policy document."""
        return document(self.statements)

    @property
    def size(self) -> int:
        """Its characters as IAM counts them, without white space."""
        return len(json.dumps(self.document(), separators=(",", ":")))


def document(made: Iterable[Statement]) -> JsonObject:
    """Return the document of a policy with these statements."""
    return {"Version": VERSION, "Statement": [statement.document() for statement in made]}


def policies(compiled: Compiled, aws: Aws) -> tuple[RolePolicy, ...]:
    """Return the policies of the roles of a pipeline: its own, that of its jobs, the deployer's.

    A role that does several of these has one policy, under the first.
    """
    purposes: dict[str, Purpose] = {}
    named: tuple[tuple[Purpose, str], ...] = (
        ("pipeline", aws.role),
        ("job", aws.runs_code_as),
        ("deploy", aws.deploys_as),
    )
    for purpose, arn in named:
        purposes.setdefault(arn, purpose)
    needed = permissions(compiled, aws)
    return tuple(
        RolePolicy(purpose, arn, statements(p for p in needed if p.role == arn), _trust(arn))
        for arn, purpose in purposes.items()
    )


def statements(needed: Iterable[Permission]) -> tuple[Statement, ...]:
    """Group permissions of one role: actions on the same resources are one statement.

    What is on no known resource is left out: see `unknown`.
    """
    resources: dict[_Key, dict[str, None]] = {}
    steps: dict[_Key, dict[str, None]] = {}
    for one in _with_alternatives(tuple(needed)):
        if one.resources:
            key = (one.action, one.conditions)
            resources.setdefault(key, {}).update(dict.fromkeys(one.resources))
            steps.setdefault(key, {})[one.step] = None
    grouped: dict[tuple[tuple[str, ...], tuple[Condition, ...]], list[str]] = {}
    for (action, conditions), found in resources.items():
        grouped.setdefault((tuple(sorted(found)), conditions), []).append(action)
    made = []
    for (on, conditions), actions in grouped.items():
        users = (step for action in actions for step in steps[action, conditions])
        named = tuple(sorted(actions))
        made.append(
            Statement(
                _sid(named, on, conditions),
                named,
                on,
                _conditions(conditions),
                steps=tuple(dict.fromkeys(users)),
            )
        )
    return tuple(sorted(made, key=lambda one: (one.actions, one.resources, one.sid)))


def _with_alternatives(needed: tuple[Permission, ...]) -> Iterator[Permission]:
    """Join the values of a condition that stands alone: several prefixes of one bucket, say."""
    values: dict[tuple[object, ...], set[str]] = {}
    for one in needed:
        for condition in one.conditions if len(one.conditions) == 1 else ():
            key = (one.action, one.resources, condition.operator, condition.key)
            values.setdefault(key, set()).update(condition.values)
    for one in needed:
        match one.conditions:
            case (Condition() as only,):
                found = values[one.action, one.resources, only.operator, only.key]
                yield replace(one, conditions=(replace(only, values=tuple(sorted(found))),))
            case _:
                yield one


_Key: TypeAlias = tuple[str, tuple[Condition, ...]]
"""An action with its conditions."""


def unknown(needed: Iterable[Permission]) -> tuple[Permission, ...]:
    """Return what is on resources that only an execution knows: no policy can name them."""
    return tuple(one for one in needed if not one.resources)


def _conditions(found: tuple[Condition, ...]) -> Conditions:
    written: dict[str, dict[str, tuple[str, ...]]] = {}
    for one in found:
        written.setdefault(one.operator, {})[one.key] = one.values
    return written


def on_the_key(sid: str, actions: tuple[str, ...], aws: Aws) -> tuple[Statement, ...]:
    """Return the statement of actions on the key of a spec; none where it has none."""
    if not aws.kms_key:
        return ()
    arn, conditions = on_key(aws, aws.kms_key)
    return (Statement(sid, actions, (arn,), _conditions(conditions)),)


def trust(service: str, account: str) -> JsonObject:
    """Return the trust policy of a role that a service assumes, for its own account alone."""
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            }
        ],
    }


def _trust(arn: str) -> JsonObject:
    return trust("sagemaker.amazonaws.com", arn.split(":")[4])


def _sid(
    actions: tuple[str, ...], resources: tuple[str, ...], conditions: tuple[Condition, ...]
) -> str:
    """Name a statement by its first action, and by what it is on, so that names stay apart."""
    service, _, action = actions[0].partition(":")
    text = "\n".join((*actions, *resources, *map(str, conditions)))
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    return f"{_NOT_IN_A_SID.sub('', service).capitalize()}{action}{digest}"
