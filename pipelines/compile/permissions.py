"""A compiled pipeline → the IAM permissions that its roles need.

The role of the pipeline starts the steps; a job runs with the role that its request names. What
starting a step takes is declared on its Type, what a program calls by the program itself
(`programs`), and what every job needs in `steptypes/job_role.py`. On what: `compile/resources.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from pipelines import programs
from pipelines.compile.model import Compiled
from pipelines.compile.resources import Resources, key_arn, members, own_arguments, roles_in, texts
from pipelines.definition.needs import images_of
from pipelines.definition.steps import Definition, Step, take_apart
from pipelines.frozen import frozen
from pipelines.spec.model import Aws
from pipelines.steptypes import job_role
from pipelines.steptypes.places import below
from pipelines.steptypes.steptype import StepType

_PASSING = "iam:PassRole"
_ENDPOINTS = "/aws/sagemaker/Endpoints"  # developer guide, "Log groups and streams"


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


def permissions(compiled: Compiled, aws: Aws) -> tuple[Permission, ...]:
    """Return what the roles of a pipeline need, in the order of its definitions' steps."""
    whole = [take_apart(json.loads(text)) for text in compiled.definitions.values()]
    found = [
        permission
        for definition in whole
        for step in definition.steps
        for permission in _Derivation(compiled, aws, definition, whole).of(step)
    ]
    return tuple(dict.fromkeys(found))


class _Derivation:
    def __init__(
        self, compiled: Compiled, aws: Aws, definition: Definition, whole: Iterable[Definition]
    ) -> None:
        self._aws = aws
        self._programs = {asset.uri: asset.job.program for asset in compiled.code}
        self._resources = Resources(aws, compiled.pipeline, definition)
        self._steps = [step for each in whole for step in each.steps]

    def of(self, step: Step) -> Iterator[Permission]:
        """Yield what a step needs: of the pipeline's role, then of the role of its job."""
        known = step.known
        if known is None:
            return
        for action, nouns in known.permissions.items():
            resources = tuple(one for noun in nouns for one in self._of_type(step, action, noun))
            conditions = _passed_to(known.passes_to) if action == _PASSING else ()
            yield Permission(self._aws.role, step.name, action, resources, conditions)
        yield from self._reports(step)
        yield from self._of_key(step, self._aws.role, job_role.CALLER_KMS)
        roles = [role for place in known.job_roles for _, role in below(step.arguments, place)]
        for role in dict.fromkeys(role for role in roles if isinstance(role, str)):
            yield from self._of_job(step, known, role)
            yield from self._of_program(step, role)

    def _of_type(self, step: Step, action: str, noun: str) -> Iterator[str]:
        """Yield the ARNs of what a Type declares."""
        service = action.partition(":")[0]
        match noun:
            case "*":
                yield noun
            case "role":
                yield from dict.fromkeys(roles_in(own_arguments(step)))
            case "buckets":
                yield from self._resources.buckets(self._resources.names(step))
            case "named":
                yield from self._resources.objects(self._resources.names(step))
            case "cleaned":
                named = (self._resources.definition.named.get(name) for name in self._cleaned(step))
                uris = (uri for one in named if one for uri in self._resources.writes(one))
                yield from self._resources.objects(uris)
            case _ if noun.startswith("="):
                yield self._resources.named_by(step.whole.get(noun[1:]), service)
            case _ if ":" in noun:
                yield self._resources.arn(*noun.split(":", 1))
            case _:
                yield from self._resources.of_noun(step, noun)

    def _cleaned(self, step: Step) -> Iterator[str]:
        for place in step.known.step_names if step.known is not None else ():
            yield from (str(name) for _, name in below(step.arguments, place))

    def _reports(self, step: Step) -> Iterator[Permission]:
        """Yield what it takes to read a value of a JSON file: the service does as the pipeline."""
        for name in dict.fromkeys(get.target.name for get in step.gets if get.of_file):
            maker = self._resources.definition.named.get(name)
            uris = self._resources.writes(maker) if maker is not None else ()
            if uris:
                objects = self._resources.objects(uris)
                yield Permission(self._aws.role, step.name, "s3:GetObject", objects)

    def _of_job(self, step: Step, known: StepType, role: str) -> Iterator[Permission]:
        """Yield what the role of a job needs, whatever its code does."""
        reads, writes = self._resources.reads(step), self._resources.writes(step)
        group = known.resource.log_group if known.resource else None
        yield from self._running(
            step,
            role,
            {
                "*": ("*",),
                "images": self._resources.repositories(images_of(step)),
                "logs": (self._resources.arn("logs", f"log-group:{group}*"),) if group else (),
                "inputs": self._resources.objects(reads),
                "outputs": self._resources.objects(writes),
                "buckets": self._resources.buckets((*reads, *writes)),
            },
        )
        if self._resources.reads_unknown(step):
            yield Permission(role, step.name, "s3:GetObject")
        yield from self._of_key(step, role, job_role.KMS)
        subnets = texts(members(own_arguments(step), "Subnets"))
        groups = texts(members(own_arguments(step), "SecurityGroupIds"))
        yield from self._of_network(step, role, subnets, groups)

    def _running(
        self, step: Step, role: str, found: dict[str, tuple[str, ...]]
    ) -> Iterator[Permission]:
        for action, resource in job_role.ACTIONS.items():
            if found.get(resource):
                namespace = action == "cloudwatch:PutMetricData"
                conditions = (_METRICS,) if namespace else ()
                yield Permission(role, step.name, action, found[resource], conditions)

    def _of_network(
        self, step: Step, role: str, subnets: Iterable[str], groups: Iterable[str]
    ) -> Iterator[Permission]:
        """Yield what a job or a model in a VPC needs; nothing without one."""
        interface = self._resources.arn("ec2", "network-interface/*")
        named = [self._resources.arn("ec2", f"subnet/{one}") for one in subnets]
        if not named:
            return
        named += [self._resources.arn("ec2", f"security-group/{one}") for one in groups]
        for action, resource in job_role.NETWORK.items():
            found = {
                "*": ("*",),
                "interface": (interface,),
                "interface and network": (interface, *named),
            }
            yield Permission(role, step.name, action, found[resource])

    def _of_key(self, step: Step, role: str, actions: Iterable[str]) -> Iterator[Permission]:
        """Yield what an encrypted step needs of its key."""
        for key in texts(members(own_arguments(step), "KmsKeyId", "VolumeKmsKeyId")):
            yield from self._on_key(step, role, key, actions)

    def _on_key(
        self, step: Step, role: str, key: str, actions: Iterable[str]
    ) -> Iterator[Permission]:
        resource, by_alias = on_key(self._aws, key)
        for action in actions:
            grant = (_FOR_SERVICES,) if action == "kms:CreateGrant" else ()
            yield Permission(role, step.name, action, (resource,), (*by_alias, *grant))

    def _of_program(self, step: Step, role: str) -> Iterator[Permission]:
        """Yield what the built-in program of a step calls."""
        for uri in self._resources.reads(step):
            program = self._programs.get(uri)
            if program is None:
                continue
            actions = programs.declaration(program).actions
            variables = self._variables(step)
            for action, nouns in actions.items():
                named = tuple(one for noun in nouns for one in self._named(noun, variables))
                conditions = (PASSED_TO_SAGEMAKER,) if action == _PASSING else ()
                yield Permission(role, step.name, action, named or ("*",), conditions)
            endpoint = programs.declaration(program).endpoint
            if endpoint is not None:
                yield from self._of_models(step, variables.get(endpoint, "*"))

    def _variables(self, step: Step) -> dict[str, str]:
        """Return the environment of a step, with `*` from where an execution decides."""
        environment = step.arguments.get("Environment")
        known = {
            name: self._resources.known(value)
            for name, value in (environment if isinstance(environment, dict) else {}).items()
        }
        return {name: text if whole else f"{text}*" for name, (text, whole) in known.items()}

    def _named(self, noun: str, variables: dict[str, str]) -> Iterator[str]:
        """Yield the ARNs of a resource that a program declares."""
        if noun == "role":
            yield self._aws.runs_code_as
        elif noun == "bucket":
            yield f"arn:{self._resources.partition}:s3:::{self._aws.bucket}"
        elif noun.endswith("/"):
            prefix = self._resources.prefix(noun.format_map(variables))
            yield f"arn:{self._resources.partition}:{prefix.replace('s3://', 's3:::')}*"
        else:
            yield from self._resources.sagemaker(noun.format_map(variables))

    def _of_models(self, step: Step, endpoint: str) -> Iterator[Permission]:
        """Yield what the models need that a step deploys: they run with the role of users' code.

        Their images are those of the pipeline's registrations; who else registers in the group
        has to give this role more.
        """
        role = self._aws.runs_code_as
        packages = (self._resources.prefix("packages/"),)
        registered = [one for one in self._steps if one.known and one.known.registers]
        images = (image for one in registered for image in images_of(one))
        found = {
            "*": ("*",),
            "images": self._resources.repositories(images),
            "logs": (self._resources.arn("logs", f"log-group:{_ENDPOINTS}/{endpoint}*"),),
            "inputs": self._resources.objects(packages),
            "buckets": self._resources.buckets(packages),
        }
        yield from self._running(step, role, found)
        vpc = self._aws.vpc
        if vpc is not None:
            yield from self._of_network(step, role, vpc.subnets, vpc.security_group_ids)
        if self._aws.kms_key is not None:
            yield from self._on_key(step, role, self._aws.kms_key, job_role.KMS)


PASSED_TO_SAGEMAKER = Condition("StringEquals", "iam:PassedToService", ("sagemaker.amazonaws.com",))
_METRICS = Condition("StringLike", "cloudwatch:namespace", ("/aws/sagemaker/*",))
_FOR_SERVICES = Condition("Bool", "kms:GrantIsForAWSResource", ("true",))


def on_key(aws: Aws, key: str) -> tuple[str, tuple[Condition, ...]]:
    """Return the ARN that a policy names a KMS key by, and the condition that an alias needs."""
    arn, alias = key_arn(aws, key)
    if alias is None:
        return arn, ()
    return arn, (Condition("ForAnyValue:StringEquals", "kms:ResourceAliases", (alias,)),)


def _passed_to(services: tuple[str, ...]) -> tuple[Condition, ...]:
    return (Condition("StringEquals", "iam:PassedToService", services),)
