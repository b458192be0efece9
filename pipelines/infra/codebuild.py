"""A delivery → its CodeBuild projects, each with a log and a role of its own name.

A project of an environment in another account acts with the role of the same name there, which
trusts the project's role here and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.frozen import frozen
from pipelines.infra import stages
from pipelines.infra.commands import planning, releasing
from pipelines.infra.model import ARTIFACTS, REVIEWS, Delivery, Environment, Options, Place
from pipelines.infra.policies import VERSION, RolePolicy, Statement, on_the_key, trust
from pipelines.infra.roles import role
from pipelines.infra.stages import Stage
from pipelines.infra.template import attribute, ref, skipping, yaml_text
from pipelines.json_types import Json, JsonObject

PLAN_ARTIFACT: Final = "Plan"
_QUEUED_MINUTES: Final = 60
_TEMP: Final = '"${TMPDIR:-/tmp}"'
_LOG_DAYS: Final = 90
_DESCRIPTION_LENGTH: Final = 255
_KEY_LENGTH: Final = 20
"""How many characters of a pipeline's name begin the keys of its artifacts."""

PARAMETERS: Final[dict[str, JsonObject]] = {
    "BuildImage": {
        "Type": "String",
        "Default": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
        "Description": "CodeBuild's image; it needs Python 3.11 or newer and the AWS CLI.",
    },
    "BuildPython": {
        "Type": "String",
        "Default": "3.12",
        "Description": "The Python of the builds, one that the image has.",
    },
    "RunTimeoutMinutes": {
        "Type": "Number",
        "Default": 480,
        "MinValue": 5,
        "MaxValue": 2160,
        "Description": "How long a release waits for its execution; the build is paid meanwhile.",
    },
}


@frozen
class Build:
    """A CodeBuild project.

    Args:
        logical: what the ids of its resources begin with.
        name: its name, that of its role and of its log.
        stage: what it runs.
        pipeline: the CodePipeline that starts it.
        bucket: the purpose of the bucket that its artifacts are in.
        environment: the environment that it acts in; None where it acts in none.
        permissions: what its commands need there.
    """

    logical: str
    name: str
    stage: Stage
    pipeline: str
    bucket: str = ARTIFACTS
    environment: Environment | None = None
    permissions: tuple[Statement, ...] = ()


def builds(delivery: Delivery) -> tuple[Build, ...]:
    """Return the builds that a push sets off."""
    ci = f"{delivery.pipeline}-ci"
    return (
        Build("Validate", f"{ci}-validate", stages.validate(delivery), ci),
        Build("Tests", f"{ci}-tests", stages.tests(delivery), ci),
        *(build for one in delivery.environments for build in _of_environment(delivery, one)),
    )


def reviews(delivery: Delivery) -> tuple[Build, ...]:
    """Return the builds that a pull request sets off."""
    ci = f"{delivery.pipeline}-ci-review"
    return (
        Build("ReviewValidate", f"{ci}-validate", stages.validate(delivery), ci, REVIEWS),
        Build("ReviewTests", f"{ci}-tests", stages.tests(delivery), ci, REVIEWS),
    )


def _of_environment(delivery: Delivery, environment: Environment) -> Iterator[Build]:
    ci, name = f"{delivery.pipeline}-ci", environment.logical
    file = f'"$CODEBUILD_SRC_DIR_{name}{PLAN_ARTIFACT}/{stages.PLAN}"'
    planned = stages.plan(delivery, environment)
    released = stages.release(delivery, environment, file)
    for stage, permissions in ((planned, planning), (released, releasing)):
        yield Build(
            f"{name}{stage.name.capitalize()}",
            f"{environment.prefix}-ci-{stage.name}",
            stage,
            ci,
            environment=environment,
            permissions=permissions(environment),
        )


def resources(build: Build, delivery: Delivery, options: Options) -> JsonObject:
    """Return a build's project, log and role."""
    log, logical = f"{build.logical}Log", build.logical
    minutes: Json = build.stage.minutes or ref("RunTimeoutMinutes")
    return {
        f"{logical}Project": {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "Name": build.name,
                "Description": f"{build.stage.name} of {delivery.file}"[:_DESCRIPTION_LENGTH],
                "ServiceRole": attribute(f"{logical}Role"),
                "TimeoutInMinutes": minutes,
                "QueuedTimeoutInMinutes": _QUEUED_MINUTES,
                "# No cache: what one build leaves, no other one runs.": None,
                "Cache": {"Type": "NO_CACHE"},
                "Artifacts": {"Type": "CODEPIPELINE"},
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "ComputeType": "BUILD_GENERAL1_SMALL",
                    "Image": ref("BuildImage"),
                    "PrivilegedMode": False,
                    "EnvironmentVariables": [
                        {"Name": "BUILD_PYTHON", "Value": ref("BuildPython")},
                        {"Name": "PIP_DISABLE_PIP_VERSION_CHECK", "Value": "1"},
                    ],
                },
                "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": ref(log)}},
                "Source": {
                    "Type": "CODEPIPELINE",
                    "# Here, not in the repository: a commit cannot change what a role runs.": None,
                    "BuildSpec": yaml_text(_buildspec(build, delivery, options)),
                },
            },
        },
        log: {
            "Type": "AWS::Logs::LogGroup",
            "Metadata": skipping("CKV_AWS_158", "they hold no data, and CloudWatch encrypts"),
            "Properties": {
                "LogGroupName": f"/aws/codebuild/{build.name}",
                "RetentionInDays": _LOG_DAYS,
            },
        },
        **role(f"{logical}Role", _policy(build, delivery, options)),
    }


def assumed(delivery: Delivery, environment: Environment) -> JsonObject:
    """Return the roles of an environment that the builds of another account's CI take on."""
    ci = delivery.first.place
    if environment.place.account == ci.account:
        return {}
    made: JsonObject = {}
    for build in _of_environment(delivery, environment):
        arn = environment.place.role(build.name)
        document = _trusting(ci.role(build.name))
        made |= role(
            f"{build.stage.name.capitalize()}Role",
            RolePolicy("build", arn, build.permissions, document),
        )
    return made


def artifact_key(pipeline: str) -> str:
    """Return what the keys of a pipeline's artifacts begin with."""
    return pipeline[:_KEY_LENGTH].rstrip("-")


def _policy(build: Build, delivery: Delivery, options: Options) -> RolePolicy:
    place = delivery.first.place
    return RolePolicy(
        "review" if build.bucket == REVIEWS else "build",
        place.role(build.name),
        (*_of_every_build(build, delivery, options), *_acting(build, place)),
        trust("codebuild.amazonaws.com", place.account),
    )


def _of_every_build(build: Build, delivery: Delivery, options: Options) -> Iterator[Statement]:
    """Yield what a build needs wherever it acts: its log, its artifacts, the tool."""
    place, bucket = delivery.first.place, delivery.first.place.bucket(build.bucket)
    artifacts = place.s3(f"{bucket}/{artifact_key(build.pipeline)}*")
    wheel = place.s3(f"{delivery.first.aws.bucket}/{options.wheel_key}")
    log = place.arn("logs", f"log-group:/aws/codebuild/{build.name}:*")
    yield Statement("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), (log,))
    yield Statement(
        "Artifacts", ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"), (artifacts,)
    )
    yield Statement("Tool", ("s3:GetObject",), (wheel,))
    yield from on_the_key("Key", ("kms:Decrypt", "kms:GenerateDataKey"), delivery.first.aws)


def _acting(build: Build, place: Place) -> tuple[Statement, ...]:
    """Return what a build needs to act in its environment: permissions, or a role there."""
    environment = build.environment
    if environment is None or environment.place.account == place.account:
        return build.permissions
    return (Statement("Act", ("sts:AssumeRole",), (environment.place.role(build.name),)),)


def _trusting(arn: str) -> JsonObject:
    return {
        "Version": VERSION,
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"},
        ],
    }


def _buildspec(build: Build, delivery: Delivery, options: Options) -> JsonObject:
    """Return a buildspec; everything that may fail is in one phase, after which nothing runs."""
    stage = build.stage
    spec: JsonObject = {
        "version": 0.2,
        "env": {"shell": "bash"},
        "phases": {
            "install": {
                "on-failure": "ABORT",
                "runtime-versions": {"python": "$BUILD_PYTHON"},
                "commands": [
                    *stages.fetch(delivery, options, _TEMP),
                    *stages.install(delivery, options, _TEMP),
                ],
            },
            "build": {
                "on-failure": "ABORT",
                "commands": [*_profile(build, delivery.first.place), *stage.commands],
            },
        },
    }
    if stage.keeps:
        spec["artifacts"] = {"files": list(stage.keeps)}
    return spec


def _profile(build: Build, place: Place) -> Iterator[str]:
    """Yield how the commands take on the role of another account."""
    environment = build.environment
    if environment is None:
        return
    yield 'export PIPELINES_COMMIT="$CODEBUILD_RESOLVED_SOURCE_VERSION"'
    if environment.place.account != place.account:
        arn = environment.place.role(build.name)
        yield f"aws configure set profile.target.role_arn {arn}"
        yield "aws configure set profile.target.credential_source EcsContainer"
        yield "export AWS_PROFILE=target"
