"""One role at one step → the permissions for what it does there.

The words in which `compile/permissions.py` (the pipeline's role), `compile/job_permissions.py` (a
job's) and `compile/program_permissions.py` (what a built-in program calls) say what they derive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelines.compile.resources import Resources, key_arn
from pipelines.frozen import frozen
from pipelines.spec.model import Aws
from pipelines.steptypes import job_role

LISTING = "s3:ListBucket"


@frozen
class Condition:
    """What must hold for a permission.

    Args:
        operator: as in a policy, `StringEquals` for example.
        key: the condition key.
        values: of which one has to match.
    """

    operator: str
    key: str
    values: tuple[str, ...]


@frozen
class Permission:
    """An action that a role has to be allowed.

    Args:
        role: the ARN of the role.
        step: the step that needs it.
        action: the IAM action.
        resources: ARNs that it is on, with `*` for what is known only when the pipeline runs; `*`
            alone where it takes no resource; none where the resource is not known at all.
        conditions: what holds whenever it is used.
    """

    role: str
    step: str
    action: str
    resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


_PASSED = "iam:PassedToService"
PASSED_TO_SAGEMAKER = Condition("StringEquals", _PASSED, ("sagemaker.amazonaws.com",))
_METRICS = Condition("StringLike", "cloudwatch:namespace", ("/aws/sagemaker/*",))
_FOR_SERVICES = Condition("Bool", "kms:GrantIsForAWSResource", ("true",))


_ON_FIRST_USE = Condition(
    "StringEquals", "iam:AWSServiceName", ("sagemaker.application-autoscaling.amazonaws.com",)
)
_OF_SAGEMAKER = Condition(
    "StringEquals", "application-autoscaling:service-namespace", ("sagemaker",)
)


def conditions_of(action: str) -> tuple[Condition, ...]:
    """Return what has to hold for an action that a program declares."""
    service, _, name = action.partition(":")
    if service == "application-autoscaling" and not name.startswith("Describe"):
        return (_OF_SAGEMAKER,)
    found = {"iam:PassRole": PASSED_TO_SAGEMAKER, "iam:CreateServiceLinkedRole": _ON_FIRST_USE}
    return (found[action],) if action in found else ()


def passed_to(services: tuple[str, ...]) -> tuple[Condition, ...]:
    """Return the condition of a role that is passed to services."""
    return (Condition("StringEquals", _PASSED, services),)


def on_key(aws: Aws, key: str) -> tuple[str, tuple[Condition, ...]]:
    """Return the ARN that a policy names a KMS key by, and the condition that an alias needs."""
    arn, alias = key_arn(aws, key)
    if alias is None:
        return arn, ()
    return arn, (Condition("ForAnyValue:StringEquals", "kms:ResourceAliases", (alias,)),)


@frozen
class StepGrants:
    """Makes the permissions of a role at a step.

    Args:
        resources: makes ARNs.
        step: the name of the step.
        role: the ARN of the role.
    """

    resources: Resources
    step: str
    role: str

    def allow(
        self, action: str, on: Iterable[str] = (), conditions: Iterable[Condition] = ()
    ) -> Permission:
        """Return the permission of an action on resources."""
        return Permission(self.role, self.step, action, tuple(on), tuple(conditions))

    def listing(self, areas: Iterable[str]) -> Iterator[Permission]:
        """Yield what it takes to list areas of buckets, and nothing beside them."""
        for bucket, prefix in self.resources.listings(areas):
            below_it = (Condition("StringLike", "s3:prefix", (prefix,)),) if prefix else ()
            yield self.allow(LISTING, (bucket,), below_it)

    def running(self, found: Mapping[str, Iterable[str]]) -> Iterator[Permission]:
        """Yield what running a container takes, on what was found of each sort of resource."""
        for action, sort in job_role.ACTIONS.items():
            if found.get(sort):
                conditions = (_METRICS,) if action == "cloudwatch:PutMetricData" else ()
                yield self.allow(action, found[sort], conditions)

    def network(self, subnets: Iterable[str], groups: Iterable[str]) -> Iterator[Permission]:
        """Yield what a job or a model in a VPC needs; nothing without one."""
        interface = self.resources.arn("ec2", "network-interface/*")
        named = [self.resources.arn("ec2", f"subnet/{one}") for one in subnets]
        if not named:
            return
        named += [self.resources.arn("ec2", f"security-group/{one}") for one in groups]
        for action, sort in job_role.NETWORK.items():
            found = {
                "*": ("*",),
                "interface": (interface,),
                "interface and network": (interface, *named),
            }
            yield self.allow(action, found[sort])

    def key(self, key: str, actions: Iterable[str]) -> Iterator[Permission]:
        """Yield actions on a KMS key."""
        resource, by_alias = on_key(self.resources.aws, key)
        for action in actions:
            grant = (_FOR_SERVICES,) if action == "kms:CreateGrant" else ()
            yield self.allow(action, (resource,), (*by_alias, *grant))
