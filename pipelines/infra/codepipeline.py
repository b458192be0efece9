"""A delivery → its CodePipeline: source, checks, and for each environment a plan and a release.

Pull requests have a pipeline of their own, since a trigger cannot choose stages, and a bucket of
their own, since nobody has reviewed their code yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipelines.infra import codebuild
from pipelines.infra.codebuild import PLAN_ARTIFACT, Build
from pipelines.infra.model import ARTIFACTS, REVIEWS, SOURCE, Delivery, Environment, Options
from pipelines.infra.policies import VERSION, RolePolicy, Statement, document, on_the_key, trust
from pipelines.infra.roles import role, role_of
from pipelines.infra.shared import export_of
from pipelines.infra.template import attribute, imported, ref
from pipelines.json_types import JsonObject

_SOURCE: Final = "Source"
_ARCHIVE: Final = "source.zip"
_CONNECTION: Final = "ConnectionArn"


def parameters(options: Options) -> dict[str, JsonObject]:
    """Return the parameters of the template that the CI adds."""
    if options.source == "s3":
        return dict(codebuild.PARAMETERS)
    given = {} if options.repository is None else {"Default": options.repository}
    connection = {} if options.connection is None else {_CONNECTION: _connection_parameter(options)}
    return {
        "Repository": {
            "Type": "String",
            **given,
            "AllowedPattern": ".+/.+",
            "Description": "The repository: owner/name.",
        },
        "Branch": {
            "Type": "String",
            "Default": options.branch,
            "Description": "The branch whose pushes are released.",
        },
        **connection,
        **codebuild.PARAMETERS,
    }


def _connection_parameter(options: Options) -> JsonObject:
    return {
        "Type": "String",
        "Default": options.connection,
        "Description": "ARN of the connection to the repository's host.",
    }


def _connection(options: Options) -> JsonObject:
    """Return the ARN of the connection: one that exists, or that of the shared stack."""
    if options.connection is not None:
        return ref(_CONNECTION)
    return imported(export_of(options.provider))


def codepipeline(delivery: Delivery, options: Options) -> JsonObject:
    """Return everything that a push sets off, or an upload where the source is S3."""
    pushed = codebuild.builds(delivery)
    made = _pipeline(delivery, options, pushed)
    if options.source == "s3":
        made |= _started_by_upload(delivery)
        reviewed: tuple[Build, ...] = ()
    else:
        reviewed = codebuild.reviews(delivery)
        made |= _review(delivery, options, reviewed)
    for build in (*pushed, *reviewed):
        made |= codebuild.resources(build, delivery, options)
    return made


def _pipeline(delivery: Delivery, options: Options, builds: tuple[Build, ...]) -> JsonObject:
    name = f"{delivery.pipeline}-ci"
    checks = [_action(one) for one in builds if one.environment is None]
    return {
        "Pipeline": {
            "Type": "AWS::CodePipeline::Pipeline",
            "Properties": {
                "Name": name,
                "PipelineType": "V2",
                "# A newer push takes the place of one that waits, for an approval say.": None,
                "ExecutionMode": "SUPERSEDED",
                "RoleArn": attribute("PipelineCiRole"),
                "ArtifactStore": {"Type": "S3", "Location": delivery.first.place.bucket(ARTIFACTS)},
                **_trigger("Push", {}, delivery.push, options),
                "Stages": [
                    _source_stage(delivery, options),
                    {"Name": "Checks", "Actions": checks},
                    *(_stage(one, delivery, builds) for one in delivery.environments),
                ],
            },
        },
        **_pipeline_role("PipelineCiRole", name, delivery, options, builds),
    }


def _review(delivery: Delivery, options: Options, builds: tuple[Build, ...]) -> JsonObject:
    name = f"{delivery.pipeline}-ci-review"
    events = {"Events": ["OPEN", "UPDATED"]}
    return {
        "ReviewPipeline": {
            "# Its roles may write logs and artifacts of their own, and nothing else.": None,
            "Type": "AWS::CodePipeline::Pipeline",
            "Properties": {
                "Name": name,
                "PipelineType": "V2",
                "ExecutionMode": "PARALLEL",
                "RoleArn": attribute("ReviewCiRole"),
                "ArtifactStore": {"Type": "S3", "Location": delivery.first.place.bucket(REVIEWS)},
                **_trigger("PullRequest", events, delivery.review, options),
                "Stages": [
                    _source_stage(delivery, options),
                    {"Name": "Checks", "Actions": [_action(one) for one in builds]},
                ],
            },
        },
        **_pipeline_role("ReviewCiRole", name, delivery, options, builds),
    }


def _trigger(
    event: str, more: JsonObject, patterns: tuple[str, ...], options: Options
) -> JsonObject:
    if options.source == "s3":
        return {}
    filters: JsonObject = {
        **more,
        "Branches": {"Includes": [ref("Branch")]},
        "# What the steps read, the spec, and what the builds install.": None,
        "FilePaths": {"Includes": list(patterns)},
    }
    git = {"SourceActionName": _SOURCE, event: [filters]}
    return {"Triggers": [{"ProviderType": "CodeStarSourceConnection", "GitConfiguration": git}]}


def _source_stage(delivery: Delivery, options: Options) -> JsonObject:
    if options.source == "s3":
        provider = "S3"
        configuration: JsonObject = {
            "S3Bucket": delivery.first.place.bucket(SOURCE),
            "S3ObjectKey": _key(delivery),
            "PollForSourceChanges": False,
        }
    else:
        provider = "CodeStarSourceConnection"
        configuration = {
            "ConnectionArn": _connection(options),
            "FullRepositoryId": ref("Repository"),
            "BranchName": ref("Branch"),
            "OutputArtifactFormat": "CODE_ZIP",
            "# The trigger starts it, with its filters.": None,
            "DetectChanges": False,
        }
    action = {
        "Name": _SOURCE,
        "ActionTypeId": _type("Source", provider),
        "Configuration": configuration,
        "OutputArtifacts": [{"Name": _SOURCE}],
    }
    return {"Name": _SOURCE, "Actions": [action]}


def _stage(environment: Environment, delivery: Delivery, builds: Iterable[Build]) -> JsonObject:
    """Return the stage of an environment: plan, a person's approval after the first, release."""
    plan, release = (build for build in builds if build.environment is environment)
    artifact = {"Name": f"{environment.logical}{PLAN_ARTIFACT}"}
    actions = [{**_action(plan), "OutputArtifacts": [artifact]}]
    if environment is not delivery.first:
        actions.append(_approval(environment))
    last = _action(release, len(actions) + 1, [artifact])
    return {"Name": environment.label, "Actions": [*actions, last]}


def _action(build: Build, order: int = 1, more: Iterable[JsonObject] = ()) -> JsonObject:
    inputs = [{"Name": _SOURCE}, *more]
    primary = {"PrimarySource": _SOURCE} if len(inputs) > 1 else {}
    return {
        "Name": build.stage.name.capitalize(),
        "RunOrder": order,
        "ActionTypeId": _type("Build", "CodeBuild"),
        "Configuration": {"ProjectName": ref(f"{build.logical}Project"), **primary},
        "InputArtifacts": inputs,
    }


def _approval(environment: Environment) -> JsonObject:
    plan = f"what the plan in the log of Plan says in {environment.label}"
    return {
        "Name": "Approve",
        "RunOrder": 2,
        "ActionTypeId": _type("Approval", "Manual"),
        "Configuration": {
            "CustomData": f"Release {environment.compiled.pipeline}: {plan}, and nothing else"
        },
    }


def _type(category: str, provider: str) -> JsonObject:
    return {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}


def _pipeline_role(
    logical: str, name: str, delivery: Delivery, options: Options, builds: Iterable[Build]
) -> JsonObject:
    """Return the role of a CodePipeline: its artifacts, its source, its builds."""
    place = delivery.first.place
    reviews = any(build.bucket == REVIEWS for build in builds)
    bucket = place.bucket(REVIEWS if reviews else ARTIFACTS)
    projects = [place.arn("codebuild", f"project/{build.name}") for build in builds]
    statements = [
        Statement(
            "Artifacts",
            ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"),
            (place.s3(f"{bucket}/{codebuild.artifact_key(name)}*"),),
        ),
        Statement("Bucket", ("s3:GetBucketVersioning",), (place.s3(bucket),)),
        Statement("Builds", ("codebuild:BatchGetBuilds", "codebuild:StartBuild"), tuple(projects)),
    ]
    if options.source == "s3":
        statements += _reading_source(delivery)
    statements += on_the_key("Key", ("kms:Decrypt", "kms:GenerateDataKey"), delivery.first.aws)
    documents: JsonObject = {"pipeline": document(statements)}
    if options.source != "s3":
        documents["source"] = _using_connection(options)
    return role_of(
        logical, place.role(name), trust("codepipeline.amazonaws.com", place.account), documents
    )


def _using_connection(options: Options) -> JsonObject:
    """Return the policy for a connection; both names of the service are asked for."""
    actions = ["codeconnections:UseConnection", "codestar-connections:UseConnection"]
    statement = {
        "Sid": "Connection",
        "Effect": "Allow",
        "Action": actions,
        "Resource": _connection(options),
    }
    return {"Version": VERSION, "Statement": [statement]}


def _reading_source(delivery: Delivery) -> list[Statement]:
    place = delivery.first.place
    bucket = place.bucket(SOURCE)
    return [
        Statement(
            "Source",
            ("s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"),
            (place.s3(f"{bucket}/{_key(delivery)}"),),
        ),
        Statement("SourceBucket", ("s3:GetBucketVersioning",), (place.s3(bucket),)),
    ]


def _key(delivery: Delivery) -> str:
    return f"{delivery.pipeline}/{_ARCHIVE}"


def _started_by_upload(delivery: Delivery) -> JsonObject:
    """Return the rule that starts the pipeline when its source was uploaded."""
    place, name = delivery.first.place, f"{delivery.pipeline}-ci"
    arn = place.arn("codepipeline", name)
    policy = RolePolicy(
        "build",
        place.role(f"{name}-upload"),
        (Statement("Start", ("codepipeline:StartPipelineExecution",), (arn,)),),
        trust("events.amazonaws.com", place.account),
    )
    return {
        "UploadRule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": f"{name}-upload",
                "Description": f"An upload of {_key(delivery)} starts {name}",
                "EventPattern": {
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "account": [place.account],
                    "detail": {
                        "bucket": {"name": [place.bucket(SOURCE)]},
                        "object": {"key": [_key(delivery)]},
                    },
                },
                "Targets": [{"Id": "pipeline", "Arn": arn, "RoleArn": attribute("UploadRole")}],
            },
        },
        **role("UploadRole", policy),
    }
