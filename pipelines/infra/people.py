"""What people's commands need → managed policies, to be attached to whoever gives them.

The pipeline's roles do the work; people look, start it and decide. One policy for each part that
somebody plays, so that who starts a run cannot approve what comes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pipelines import programs
from pipelines.compile.permissions import permissions
from pipelines.compile.program_permissions import WATCHING
from pipelines.definition.named import defaults_of, known_text, read
from pipelines.definition.needs import images_of
from pipelines.definition.steps import take_apart
from pipelines.frozen import frozen
from pipelines.images.regions import ECR, in_region
from pipelines.infra.commands import planning
from pipelines.infra.model import Environment, logical_name
from pipelines.infra.policies import Statement, document, on_the_key, statements
from pipelines.infra.roles import parts
from pipelines.json_types import JsonObject
from pipelines.spec.names import deployer

_EXECUTIONS: Final = (
    "sagemaker:DescribePipeline",
    "sagemaker:DescribePipelineDefinitionForExecution",
    "sagemaker:DescribePipelineExecution",
    "sagemaker:ListPipelineExecutionSteps",
    "sagemaker:ListPipelineParametersForExecution",
)
_COPYING: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeRepositories",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
_PROMOTION: Final = "promotion-"
_GROUP: Final = "ModelPackageGroupName"


@frozen
class Part:
    """A part that people play.

    Args:
        name: such as approver.
        commands: what it gives.
        statements: what these need.
    """

    name: str
    commands: tuple[str, ...]
    statements: tuple[Statement, ...]


def people(environment: Environment) -> tuple[Part, ...]:
    """Return the parts of a pipeline; nobody approves or deploys where nothing is registered."""
    operates = ("plan", "start", "status", "stop", "logs")
    found = [Part("operator", operates, tuple(_operating(environment)))]
    if _groups(environment):
        decides = ("models", "approve", "reject")
        found.append(Part("approver", decides, tuple(_approving(environment))))
    deploying = _deploying(environment)
    if deploying:
        found.append(Part("deployer", ("deploy",), deploying))
    if _groups(environment):
        found.append(Part(f"{_PROMOTION}source", ("promote",), tuple(_promoting(environment))))
        found.append(Part(f"{_PROMOTION}target", ("promote --to",), tuple(_taking(environment))))
    return tuple(found)


def managed(environment: Environment, *, promotes: bool) -> JsonObject:
    """Return the policies as resources; one that is too long is several.

    Args:
        environment: where.
        promotes: whether there is another account or region to promote to or from.
    """
    made: JsonObject = {}
    chosen = [p for p in people(environment) if promotes or not p.name.startswith(_PROMOTION)]
    for part in chosen:
        for number, some in enumerate(parts(part.statements), 1):
            more = "" if number == 1 else str(number)
            made[f"{logical_name(part.name)}Policy{more}"] = {
                "# For people: attach it to a user, a group, or a permission set.": None,
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "ManagedPolicyName": f"{environment.prefix}-{part.name}{more}",
                    "Description": f"{', '.join(part.commands)} of {environment.prefix}",
                    "PolicyDocument": document(some),
                },
            }
    return made


def _operating(environment: Environment) -> Iterator[Statement]:
    place = environment.place
    runs = ("sagemaker:StartPipelineExecution", "sagemaker:StopPipelineExecution")
    streams = ("logs:DescribeLogStreams", "logs:GetLogEvents")
    yield from planning(environment)
    yield Statement("Run", runs, _pipelines(environment))
    yield Statement("Logs", streams, (place.arn("logs", "log-group:/aws/sagemaker/*"),))


def _approving(environment: Environment) -> Iterator[Statement]:
    """Yield what decides: it starts the deployer where no rule does, and nothing else."""
    place, aws, pipeline = environment.place, environment.aws, environment.compiled.pipeline
    yield from _registered(environment, ())
    yield Statement("Decide", ("sagemaker:UpdateModelPackage",), _registry(environment)[1])
    yield Statement("Origin", _EXECUTIONS, _pipelines(environment))
    runs = place.s3(f"{aws.bucket}/{pipeline}/runs/*")
    yield Statement("Metrics", ("s3:GetObject",), (runs,))
    yield from on_the_key("Key", ("kms:Decrypt",), aws)
    if deployer(pipeline) in environment.compiled.definitions:
        starts = place.sagemaker(f"pipeline/{deployer(pipeline)}")
        # The call takes no resource: it searches all rules for a target.
        yield Statement("FindRule", ("events:ListRuleNamesByTarget",), ("*",))
        yield Statement("Deploy", ("sagemaker:StartPipelineExecution",), starts)


def _promoting(environment: Environment) -> Iterator[Statement]:
    """Yield what `promote` reads of a version: its record, its files, its images."""
    place, aws = environment.place, environment.aws
    yield from _registered(environment, ())
    areas = [f"{environment.compiled.pipeline}/{area}/*" for area in ("packages", "runs")]
    objects = tuple(place.s3(f"{aws.bucket}/{area}") for area in areas)
    listed = {"StringLike": {"s3:prefix": tuple(areas)}}
    yield Statement("Files", ("s3:GetObject",), objects)
    yield Statement("ListFiles", ("s3:ListBucket",), (place.s3(aws.bucket),), listed)
    yield from on_the_key("Key", ("kms:Decrypt",), aws)
    yield from _on_images(environment, ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"))


def _taking(environment: Environment) -> Iterator[Statement]:
    """Yield what `promote` needs where the version goes: it is created pending."""
    place, aws = environment.place, environment.aws
    yield from _registered(environment, ("sagemaker:CreateModelPackage",))
    area = f"{environment.compiled.pipeline}/packages/promoted/*"
    copies = (place.s3(f"{aws.bucket}/{area}"),)
    listed = {"StringLike": {"s3:prefix": (area,)}}
    yield Statement("Files", ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"), copies)
    yield Statement("ListFiles", ("s3:ListBucket",), (place.s3(aws.bucket),), listed)
    yield from on_the_key("Key", ("kms:Decrypt", "kms:GenerateDataKey"), aws)
    yield from _on_images(environment, _COPYING)


def _registered(environment: Environment, more: tuple[str, ...]) -> Iterator[Statement]:
    """Yield what reads the versions of groups, and what else is done with these."""
    groups, versions = _registry(environment)
    yield Statement("Groups", ("sagemaker:DescribeModelPackageGroup",), groups)
    yield Statement("List", ("sagemaker:ListModelPackages",), tuple(sorted((*groups, *versions))))
    yield Statement("Versions", (*more, "sagemaker:DescribeModelPackage"), versions)


def _registry(environment: Environment) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = _groups(environment)
    return (
        _of_sagemaker(environment, (f"model-package-group/{name}" for name in names)),
        _of_sagemaker(environment, (f"model-package/{name}/*" for name in names)),
    )


def _on_images(environment: Environment, actions: tuple[str, ...]) -> Iterator[Statement]:
    """Yield actions on the repositories of registered images that are not AWS's; maybe none."""
    found: set[str] = set()
    for text in environment.compiled.definitions.values():
        for step in take_apart(read(text)).steps:
            for image in images_of(step) if step.known and step.known.registers else ():
                name = ECR.fullmatch(image)
                if name is not None and in_region(image, environment.place.region) is None:
                    found.add(environment.place.arn("ecr", f"repository/{name['repository']}"))
    if found:
        yield Statement("Images", actions, tuple(sorted(found)))


def _deploying(environment: Environment) -> tuple[Statement, ...]:
    """Return what the deployer calls: `deploy` does its work with the rights of who gives it."""
    aws = environment.aws
    needed = [p for p in permissions(environment.compiled, aws) if p.role == aws.deploys_as]
    text = environment.compiled.definitions.get(deployer(environment.compiled.pipeline), "{}")
    steps = {one.name for one in take_apart(read(text)).steps}
    declared = programs.declaration("deploy")
    further = (action for actions in declared.further.values() for action in actions)
    actions = {*declared.actions, *further, WATCHING}
    own = [one for one in needed if one.step in steps and one.action in actions]
    key = on_the_key("Key", ("kms:Decrypt", "kms:GenerateDataKey"), aws) if own else ()
    return (*statements(own), *key)


def _groups(environment: Environment) -> tuple[str, ...]:
    """Name the groups of the pipelines; where a parameter names one, that of its default."""
    found: set[str] = set()
    for text in environment.compiled.definitions.values():
        definition = read(text)
        defaults = defaults_of(definition)
        for step in take_apart(definition).steps:
            group = known_text(step.arguments.get(_GROUP), defaults)
            found |= {group} if group and step.known and step.known.registers else set()
    return tuple(sorted(found))


def _pipelines(environment: Environment) -> tuple[str, ...]:
    names = [f"pipeline/{name}" for name in environment.compiled.definitions]
    return _of_sagemaker(environment, (*names, *(f"{name}/execution/*" for name in names)))


def _of_sagemaker(environment: Environment, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(arn for name in names for arn in environment.place.sagemaker(name)))
