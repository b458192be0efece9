"""Deliveries → the stacks of their accounts: one that they share, and one for each pipeline.

| module          | holds                                                    |
|-----------------|----------------------------------------------------------|
| `shared`        | buckets, key, connections, topics; for whom: `tenants`   |
| `roles`         | the roles that the pipeline runs with                    |
| `people`        | the policies of those who look, start and decide         |
| `approval`      | the rule by which an approval deploys                    |
| `schedules`     | what starts the pipeline at times                        |
| `notifications` | who hears of failures and of what waits                  |
| `undelivered`   | the queue of events that could not be delivered          |
| `codepipeline`  | what a push and a pull request set off, with `codebuild` |
| `federation`    | the roles of jobs, where GitHub or GitLab runs the stages |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pipelines.definition.named import groups_of
from pipelines.infra import (
    approval,
    codebuild,
    codepipeline,
    federation,
    notifications,
    people,
    schedules,
    undelivered,
)
from pipelines.infra.model import SHARED, Delivery, Environment, Options, Place, Stack, logical_id
from pipelines.infra.policies import VERSION, policies
from pipelines.infra.regions import GROUP, has
from pipelines.infra.roles import BOUNDARY, BOUNDARY_PARAMETER, HAS_BOUNDARY, has_boundary, role
from pipelines.infra.shared import shared
from pipelines.infra.template import Template, tags
from pipelines.infra.tenants import UNNAMED, Resident, Tenant
from pipelines.json_types import JsonObject
from pipelines.plan.tags import desired

_ROLES: Final = {"pipeline": "PipelineRole", "job": "JobRole", "deploy": "DeployRole"}


def stacks(
    deliveries: tuple[Delivery, ...], options: Options, cached_days: int
) -> tuple[Stack, ...]:
    """Return the stacks in the order in which they have to be made.

    Args:
        deliveries: the specs.
        options: of the command line.
        cached_days: for how long a step may use earlier results, at most.
    """
    return (
        *_shared(deliveries, options, cached_days),
        *_pipelines(deliveries, options),
    )


def twice(made: Iterable[Stack]) -> Iterator[str]:
    """Yield what two resources would be called, of one stack or of several of an account."""
    owners: dict[tuple[str, str, str], str] = {}
    for stack in made:
        for logical, resource in stack.template.resources.items():
            kind = str(resource["Type"])
            where = stack.place.account if "::IAM::" in kind else f"{stack.place}"
            for member in _NAMED:
                name = resource["Properties"].get(member)
                if not isinstance(name, str):
                    continue
                owner = owners.setdefault((where, kind, name), f"{logical} of {stack.file}")
                if owner != f"{logical} of {stack.file}":
                    yield f"`{name}` ({kind}): {owner}, and {logical} of {stack.file}"


_NAMED: Final = ("RoleName", "ManagedPolicyName", "BucketName", "QueueName", "TopicName")


def _shared(
    deliveries: tuple[Delivery, ...], options: Options, cached_days: int
) -> Iterator[Stack]:
    accounts: set[str] = set()
    for place, environments in _environments_by_place(deliveries).items():
        here = tuple(one for one in deliveries if one.first.place == place)
        is_first = place.account not in accounts
        accounts.add(place.account)
        tenant = _tenant(options, environments, here, cached_days, makes_provider=is_first)
        users = [d.file for d in deliveries if any(e.place == place for e in d.environments)]
        file = f"shared.{place.account}.{place.region}.yaml"
        bucket = (here[0].first if here else environments[0]).aws.bucket
        template = shared(place, [tenant])
        yield Stack(SHARED, place, file, template, tuple(users), bucket, tenant=tenant)


def _tenant(
    options: Options,
    environments: Iterable[Environment],
    deliveries: Iterable[Delivery],
    cached_days: int,
    *,
    makes_provider: bool,
) -> Tenant:
    """Return what this repository needs of the shared stack of an account and region."""
    first = {id(one.first) for one in deliveries}
    is_codepipeline = options.runner == "codepipeline"
    residents = tuple(
        _resident(one, has_ci=is_codepipeline and id(one) in first) for one in environments
    )
    has_ci = any(one.has_ci for one in residents)
    connects = has_ci and options.source == "connection" and options.connection is None
    return Tenant(
        options.repository or UNNAMED,
        residents,
        options.source if has_ci else None,
        options.provider if connects else None,
        options.issuer if makes_provider and not is_codepipeline else None,
        cached_days,
    )


def _resident(environment: Environment, *, has_ci: bool) -> Resident:
    notify = environment.spec.notify
    return Resident(
        environment.prefix,
        environment.compiled.pipeline,
        environment.aws.bucket,
        environment.aws.kms_key,
        tuple(notify.email) if notify else (),
        has_ci,
    )


def _environments_by_place(deliveries: Iterable[Delivery]) -> Mapping[Place, list[Environment]]:
    """Group environments by account and region, in the order of the specs."""
    found: dict[Place, list[Environment]] = {}
    for delivery in deliveries:
        for environment in delivery.environments:
            found.setdefault(environment.place, []).append(environment)
    return found


def _pipelines(deliveries: Iterable[Delivery], options: Options) -> Iterator[Stack]:
    """Yield a stack for each environment; the first comes first, since others trust its roles."""
    deliveries = tuple(deliveries)
    owned: set[tuple[Place, str]] = set()
    readers = _readers(deliveries)
    for delivery in deliveries:
        for environment in delivery.environments:
            groups = _groups(environment, owned, readers)
            template = _template(delivery, environment, groups, options)
            yield Stack(
                environment.stack,
                environment.place,
                f"{environment.prefix}.yaml",
                template,
                (delivery.file,),
                environment.aws.bucket,
                environment.label,
            )


def _template(
    delivery: Delivery, environment: Environment, groups: JsonObject, options: Options
) -> Template:
    has_ci = environment is delivery.first
    promotes = len({one.place for one in delivery.environments}) > 1
    resources = {**_roles(environment), **people.managed(environment, promotes=promotes), **groups}
    resources |= _events(delivery, environment, options)
    parameters = {BOUNDARY: BOUNDARY_PARAMETER}
    if options.runner != "codepipeline":
        resources |= federation.roles(delivery, environment, options)
    elif has_ci:
        parameters |= codepipeline.parameters(options)
        resources |= codepipeline.codepipeline(delivery, options)
    else:
        resources |= codebuild.assumed(delivery, environment)
    return Template(
        f"The pipeline {environment.compiled.pipeline} in {environment.label}: "
        + ("roles, approval rule and CI." if has_ci else "roles and approval rule."),
        parameters,
        {HAS_BOUNDARY: has_boundary()},
        resources,
    )


def _events(delivery: Delivery, environment: Environment, options: Options) -> JsonObject:
    """Return what starts the pipelines by itself, and who hears of them."""
    approvals, planned = approval.approval(environment), schedules.schedules(environment)
    started = {**approvals, **planned}
    if started:
        rules = [approval.RULE] if approvals else []
        started |= undelivered.queue(environment, rules, notifications.topics(environment))
    return {**started, **notifications.notifications(delivery, environment, options)}


def _roles(environment: Environment) -> JsonObject:
    """Return the roles that `aws:` names; one that does several jobs is there once."""
    made: JsonObject = {}
    for policy in policies(environment.compiled, environment.aws):
        made |= role(_ROLES[policy.purpose], policy)
    return made


def _readers(deliveries: Iterable[Delivery]) -> Mapping[tuple[Place, str], list[str]]:
    """Return the accounts that read a group: those that a push goes to after the group's own."""
    found: dict[tuple[Place, str], list[str]] = {}
    for delivery in deliveries:
        for number, environment in enumerate(delivery.environments, 1):
            place = environment.place
            later = [one.place for one in delivery.environments[number:]]
            accounts = [
                one.account
                for one in later
                if one.partition == place.partition and one.account != place.account
            ]
            for name in groups_of(*environment.compiled.definitions.values()):
                known = found.setdefault((place, name), [])
                known += [one for one in dict.fromkeys(accounts) if one not in known]
    return found


def _groups(
    environment: Environment,
    owned: set[tuple[Place, str]],
    readers: Mapping[tuple[Place, str], list[str]],
) -> JsonObject:
    """Return the model package groups that no earlier stack of the place has.

    Where CloudFormation does not know them, `upsert` makes them.
    """
    place = environment.place
    made: JsonObject = {}
    for name in sorted(groups_of(*environment.compiled.definitions.values())):
        if (place, name) in owned or not has(GROUP, place.region):
            continue
        owned.add((place, name))
        made[logical_id("Group", name)] = {
            "# It outlives the stack: its versions are the team's models.": None,
            "Type": GROUP,
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "ModelPackageGroupName": name,
                **_shared_with(place, name, readers.get((place, name), [])),
                "# As `upsert` sets them.": None,
                "Tags": tags(desired(environment.compiled.pipeline, environment.aws.tags)),
            },
        }
    return made


def _shared_with(place: Place, group: str, accounts: Iterable[str]) -> JsonObject:
    """Return the policy of a group that other accounts read; nothing where none does.

    Source: developer guide, "Set up discoverability" of groups in the registry.
    """
    principals = [f"arn:{place.partition}:iam::{account}:root" for account in accounts]
    if not principals:
        return {}
    resources = (
        *place.sagemaker(f"model-package-group/{group}"),
        *place.sagemaker(f"model-package/{group}/*"),
    )
    statement = {
        "Sid": "Read",
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": [
            "sagemaker:DescribeModelPackage",
            "sagemaker:DescribeModelPackageGroup",
            "sagemaker:ListModelPackages",
        ],
        "Resource": list(resources),
    }
    return {
        "# The accounts that versions are promoted to may look at them.": None,
        "ModelPackageGroupPolicy": {"Version": VERSION, "Statement": [statement]},
    }
