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
from pipelines.definition.needs import has_unknown_image, images_of
from pipelines.definition.steps import Definition, Step, take_apart
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.spec.model import Aws
from pipelines.steptypes import job_role
from pipelines.steptypes.places import below
from pipelines.steptypes.steptype import StepType

_PASSING = "iam:PassRole"
_LISTING = "s3:ListBucket"
WATCHING = "cloudwatch:DescribeAlarms"
"""SageMaker watches the alarms of an update as who asks for the update (FACTS 11.13)."""

_ENCRYPTED = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:Decrypt", "kms:GenerateDataKey"),
}
"""What S3 asks of its caller for an object that is encrypted with a KMS key (S3 user guide,
"Using server-side encryption with AWS KMS keys"; uploads in parts decrypt, too)."""
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
        each
        for definition in whole
        for step in definition.steps
        for permission in _Derivation(compiled, aws, definition, whole).of(step)
        for each in (permission, *_of_encrypted(permission, aws))
    ]
    return tuple(dict.fromkeys(found))


def _of_encrypted(permission: Permission, aws: Aws) -> Iterator[Permission]:
    """Yield what reading or writing in the bucket needs of its key besides."""
    own = f":s3:::{aws.bucket}/"
    if aws.kms_key and any(own in resource for resource in permission.resources):
        resource, by_alias = on_key(aws, aws.kms_key)
        for action in _ENCRYPTED.get(permission.action, ()):
            yield Permission(permission.role, permission.step, action, (resource,), by_alias)


class _Derivation:
    def __init__(
        self, compiled: Compiled, aws: Aws, definition: Definition, whole: Iterable[Definition]
    ) -> None:
        self._aws = aws
        self._jobs = {asset.uri: asset.job for asset in compiled.code}
        self._resources = Resources(aws, compiled.pipeline, definition)
        self._steps = [step for each in whole for step in each.steps]

    def of(self, step: Step) -> Iterator[Permission]:
        """Yield what a step needs: of the pipeline's role, then of the role of its job."""
        known = step.known
        if known is None:
            return
        for action, nouns in known.permissions.items():
            if action == _LISTING:
                uris = [uri for noun in nouns for uri in self._uris(step, noun)]
                yield from self._of_listing(self._aws.role, step, self._resources.areas(uris))
                continue
            resources = tuple(one for noun in nouns for one in self._of_type(step, noun))
            conditions = _passed_to(known.passes_to) if action == _PASSING else ()
            if resources or nouns != ("images",) or has_unknown_image(step):
                yield Permission(self._aws.role, step.name, action, resources, conditions)
        yield from self._reports(step)
        yield from self._of_key(step, self._aws.role, job_role.CALLER_KMS)
        roles = [role for place in known.job_roles for _, role in below(step.arguments, place)]
        model = self._resources.model_of(step)
        roles += roles_in(own_arguments(model)) if model is not None else ()
        for role in dict.fromkeys(role for role in roles if isinstance(role, str)):
            yield from self._of_job(step, known, role)
            yield from self._of_program(step, role)

    def _of_type(self, step: Step, noun: str) -> Iterator[str]:
        """Yield the ARNs of what a Type declares."""
        match noun:
            case "*":
                yield noun
            case "role":
                yield from dict.fromkeys(roles_in(own_arguments(step)))
            case "images":
                yield from self._resources.repositories(images_of(step))
            case "named" | "cleaned":
                yield from self._resources.objects(self._uris(step, noun))
            case _ if noun.startswith("="):
                yield from self._resources.named_by(step.whole.get(noun[1:]))
            case _ if ":" in noun:
                yield self._resources.arn(*noun.split(":", 1))
            case _:
                yield from self._resources.of_noun(step, noun)

    def _uris(self, step: Step, noun: str) -> Iterator[str]:
        """Yield the URIs that a step names, or that the steps write that it names."""
        if noun == "named":
            yield from self._resources.names(step)
            return
        for place in step.known.step_names if step.known is not None else ():
            for _, name in below(step.arguments, place):
                named = self._resources.definition.named.get(str(name))
                yield from self._resources.writes(named) if named is not None else ()

    def _of_listing(self, role: str, step: Step, areas: Iterable[str]) -> Iterator[Permission]:
        """Yield what it takes to list areas of buckets, and nothing beside them."""
        for bucket, prefix in self._resources.listings(areas):
            below_it = (Condition("StringLike", "s3:prefix", (prefix,)),) if prefix else ()
            yield Permission(role, step.name, _LISTING, (bucket,), below_it)

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
        model = self._resources.model_of(step)
        images = [*images_of(step), *(self._images_of_model(model) if model else ())]
        reads = (*self._resources.reads(step), *(self._read_by_model(model) if model else ()))
        writes = self._resources.writes(step)
        group = known.resource.log_group if known.resource else None
        yield from self._running(
            step,
            role,
            {
                "*": ("*",),
                "images": self._resources.repositories(images),
                "logs": (self._resources.arn("logs", f"log-group:{group}*"),) if group else (),
                "inputs": self._resources.objects(reads),
                "outputs": self._resources.objects(writes),
            },
        )
        yield from self._of_listing(role, step, self._resources.areas((*reads, *writes)))
        unknown = {
            "ecr:BatchGetImage": has_unknown_image(model or step),
            "s3:GetObject": self._resources.reads_unknown(step),
            "s3:PutObject": self._resources.writes_unknown(step),
        }
        yield from (
            Permission(role, step.name, action) for action, is_so in unknown.items() if is_so
        )
        yield from self._of_key(step, role, job_role.KMS)
        runs = own_arguments(model or step)
        subnets, groups = (texts(members(runs, one)) for one in ("Subnets", "SecurityGroupIds"))
        yield from self._of_network(step, role, subnets, groups)

    def _images_of_model(self, model: Step) -> Iterator[str]:
        """Yield the images of a model; of one from the registry, those that are registered here."""
        yield from images_of(model)
        if _is_of_package(model):
            registered = (one for one in self._steps if one.known and one.known.registers)
            yield from (image for one in registered for image in images_of(one))

    def _read_by_model(self, model: Step) -> tuple[str, ...]:
        """Return where the archives of a model lie."""
        if _is_of_package(model):
            return (self._resources.prefix("packages/"),)
        return self._resources.names(model)

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
            job = self._jobs.get(uri)
            program = job.program if job is not None else None
            if job is None or program is None:
                continue
            named = texts(members(job.config, "AlarmName"))
            alarms = tuple(self._resources.arn("cloudwatch", f"alarm:{name}") for name in named)
            if alarms:
                yield Permission(role, step.name, WATCHING, alarms)
            actions = programs.declaration(program).actions
            variables = self._variables(step)
            for action, nouns in actions.items():
                if action == _LISTING:
                    areas = [self._program_area(noun, variables) for noun in nouns]
                    yield from self._of_listing(role, step, areas)
                    continue
                on = tuple(one for noun in nouns for one in self._named(noun, variables))
                conditions = (PASSED_TO_SAGEMAKER,) if action == _PASSING else ()
                yield Permission(role, step.name, action, on or ("*",), conditions)
            yield from self._of_members(step, role, program, job.config)
            endpoint = programs.declaration(program).endpoint
            if endpoint is not None:
                yield from self._of_models(step, variables.get(endpoint, "*"))
                yield from self._of_answers(step, job.config)

    def _of_members(
        self, step: Step, role: str, program: str, config: JsonObject
    ) -> Iterator[Permission]:
        """Yield what a program calls because of what stands in its configuration."""
        variables = self._variables(step)
        for member, actions in programs.declaration(program).further.items():
            for action, nouns in actions.items() if list(members(config, member)) else ():
                uris = [uri for noun in nouns for uri in _folders(config, noun[1:-1])]
                if action == _LISTING:
                    yield from self._of_listing(role, step, self._resources.areas(uris))
                    continue
                plain = (noun for noun in nouns if not noun.startswith("<"))
                named = (one for noun in plain for one in self._named(noun, variables))
                on = (*self._resources.objects(uris), *named)
                yield Permission(role, step.name, action, on)

    def _of_answers(self, step: Step, config: JsonObject) -> Iterator[Permission]:
        """Yield what an asynchronous model needs to read requests and to write answers.

        Requests that lie elsewhere than below the answers are nothing that the spec knows of.
        """
        role, inference = self._aws.runs_code_as, list(members(config, "AsyncInferenceConfig"))
        outputs = _folders(inference, "S3OutputPath")
        inputs = [f"{uri}input/" for uri in outputs]
        written = [*outputs, *_folders(inference, "S3FailurePath")]
        topics = tuple(dict.fromkeys(texts(members(inference, "SuccessTopic", "ErrorTopic"))))
        for action, on in (
            ("s3:GetObject", self._resources.objects(inputs)),
            ("s3:PutObject", self._resources.objects(written)),
            ("sns:Publish", topics),
        ):
            if on:
                yield Permission(role, step.name, action, on)
        for key in texts(members(inference, "KmsKeyId")):
            yield from self._on_key(step, role, key, job_role.KMS)

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
        elif noun.endswith("/"):
            yield f"arn:{self._resources.partition}:s3:::{self._program_area(noun, variables)}*"
        else:
            yield from self._resources.sagemaker(noun.format_map(variables))

    def _program_area(self, noun: str, variables: dict[str, str]) -> str:
        return self._resources.prefix(noun.format_map(variables)).removeprefix("s3://")

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
        }
        yield from self._running(step, role, found)
        yield from self._of_listing(role, step, self._resources.areas(packages))
        vpc = self._aws.vpc
        if vpc is not None:
            yield from self._of_network(step, role, vpc.subnets, vpc.security_group_ids)
        if self._aws.kms_key is not None:
            yield from self._on_key(step, role, self._aws.kms_key, job_role.KMS)


def _is_of_package(model: Step) -> bool:
    return bool(list(members(own_arguments(model), "ModelPackageName")))


def _folders(config: Json, member: str) -> list[str]:
    """Return the URIs of a member, each with a slash: `answers` is not `answers-of-others`."""
    return [f"{uri.rstrip('/')}/" for uri in texts(members(config, member))]


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
