"""What the pipelines of one account and region share → the template of its stack.

Buckets and the registry outlive a stack: what holds a team's models is not deleted with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pipelines.frozen import frozen
from pipelines.infra import federation
from pipelines.infra.buckets import kept_bucket
from pipelines.infra.model import (
    ARTIFACTS,
    REVIEWS,
    SOURCE,
    Delivery,
    Environment,
    Options,
    Place,
    logical_id,
)
from pipelines.infra.regions import CONNECTION
from pipelines.infra.template import Template, attribute, ref, sub, when
from pipelines.json_types import JsonObject

CONNECTION_ARN: Final = "pipelines-shared-Connection"
KEY: Final = "pipelines-shared-Key"
"""Names of what the stack exports."""

REPOSITORY: Final = "Repository"
"""Whose stack it is, in its metadata: one account and region has one."""

_RUNS_DAYS: Final = 180
_ARTIFACT_DAYS: Final = 30
_SLACK_DAYS: Final = 30


@frozen
class Residents:
    """What is in one account and region.

    Args:
        place: the account and region.
        environments: the pipelines that run there.
        deliveries: the specs whose CI is there.
        cached_days: for how long a step of theirs may use earlier results.
        is_first_of_account: whether it holds what an account has once, in all regions.
    """

    place: Place
    environments: tuple[Environment, ...]
    deliveries: tuple[Delivery, ...]
    cached_days: int = 0
    is_first_of_account: bool = True


def shared(residents: Residents, options: Options) -> Template:
    """Return the template of what the pipelines of a place share."""
    has_ci = bool(residents.deliveries) and options.runner == "codepipeline"
    connects = has_ci and options.source == "connection"
    resources: JsonObject = {**_key(), **_buckets(residents)}
    outputs = {
        "Key": _output(
            "The key, for `aws.kms_key` of the specs.", attribute("Key"), KEY, "MakesKey"
        )
    }
    parameters = _parameters(residents)
    conditions: JsonObject = {
        "MakesKey": {"Fn::Equals": [ref("CreateKey"), "true"]},
    }
    if has_ci:
        resources |= _own_buckets(residents, options)
    if connects:
        parameters |= _connection_parameters(options)
        conditions["MakesConnection"] = {"Fn::Equals": [ref("ConnectionArn"), ""]}
        resources |= _connection()
        outputs["Connection"] = _output(
            "The connection to the repository's host.",
            when("MakesConnection", ref("Connection"), ref("ConnectionArn")),
            CONNECTION_ARN,
        )
    if options.runner != "codepipeline" and residents.is_first_of_account:
        parameters[federation.CREATES] = federation.PARAMETER
        conditions[federation.CONDITION] = {"Fn::Equals": [ref(federation.CREATES), "true"]}
        resources |= federation.provider(options)
    return Template(
        "What the pipelines of this account and region share: bucket, key, connection.",
        parameters,
        conditions,
        resources,
        outputs,
        {REPOSITORY: options.repository} if options.repository else {},
    )


def _parameters(residents: Residents) -> dict[str, JsonObject]:
    days = max(_RUNS_DAYS, residents.cached_days + _SLACK_DAYS if residents.cached_days else 0)
    return {
        "CreateKey": {
            "Type": "String",
            "AllowedValues": ["true", "false"],
            "Default": "false",
            "Description": "Make a KMS key; write its ARN (output Key) into `aws.kms_key` then.",
        },
        "RunsExpireAfterDays": {
            "Type": "Number",
            "Default": days,
            "MinValue": 1,
            "Description": "Age at which outputs of runs go; longer than every `cache:` of a step.",
        },
        "OldVersionsExpireAfterDays": {
            "Type": "Number",
            "Default": 30,
            "MinValue": 1,
            "Description": "Age at which overwritten and deleted objects go for good.",
        },
    }


def _key() -> JsonObject:
    root = sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")
    services = ["events.amazonaws.com", "cloudwatch.amazonaws.com"]
    return {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Condition": "MakesKey",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "Description": "Data, models and artifacts of the pipelines of this account",
                "EnableKeyRotation": True,
                "KeyPolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "# Who may use the key is said by the policies of roles, as for the"
                            " buckets.": None,
                            "Sid": "Account",
                            "Effect": "Allow",
                            "Principal": {"AWS": root},
                            "Action": "kms:*",
                            "Resource": "*",
                        },
                        {
                            "# Rules and alarms publish to encrypted topics.": None,
                            "Sid": "Notifications",
                            "Effect": "Allow",
                            "Principal": {"Service": services},
                            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                            "Resource": "*",
                            "Condition": {
                                "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}
                            },
                        },
                    ],
                },
            },
        }
    }


def _buckets(residents: Residents) -> JsonObject:
    """Return the buckets that the specs name; several pipelines may share one."""
    users: dict[str, list[Environment]] = {}
    for one in residents.environments:
        users.setdefault(one.aws.bucket, []).append(one)
    made: JsonObject = {}
    for name, environments in users.items():
        rules = [
            {
                "# Outputs of runs. Code, packages and deployments never go by age: a registered"
                " model names them.": None,
                "Id": f"runs-of-{pipeline}"[:255],
                "Status": "Enabled",
                "Prefix": f"{pipeline}/runs/",
                "ExpirationInDays": ref("RunsExpireAfterDays"),
            }
            for pipeline in dict.fromkeys(one.compiled.pipeline for one in environments)
        ]
        made |= kept_bucket(
            logical_id("Bucket", name), {"BucketName": name}, rules, _common_key(environments)
        )
    return made


def _common_key(environments: Iterable[Environment]) -> str | None:
    """Return the key of pipelines that share a bucket; the roles of each may use its own alone."""
    keys = {one.aws.kms_key for one in environments}
    return keys.pop() if len(keys) == 1 else None


def _own_buckets(residents: Residents, options: Options) -> JsonObject:
    """Return the buckets of the CI: artifacts, and uploads where there is no connection."""
    place = residents.place
    key = _common_key(delivery.first for delivery in residents.deliveries)
    made = _artifacts("Artifacts", place.bucket(ARTIFACTS), "what stages hand on", key)
    if options.source != "s3":
        unseen = "the same for pull requests: code that nobody has reviewed yet"
        return made | _artifacts("Reviews", place.bucket(REVIEWS), unseen, key)
    source: JsonObject = {
        "BucketName": place.bucket(SOURCE),
        "# A new source.zip starts the pipeline, by a rule of the pipeline's stack.": None,
        "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
    }
    return made | kept_bucket("Source", source, [], key)


def _artifacts(logical: str, name: str, purpose: str, key: str | None) -> JsonObject:
    rule: JsonObject = {
        f"# {purpose[0].upper()}{purpose[1:]}.": None,
        "Id": "artifacts",
        "Status": "Enabled",
        "ExpirationInDays": _ARTIFACT_DAYS,
    }
    return kept_bucket(logical, {"BucketName": name}, [rule], key)


def _connection_parameters(options: Options) -> dict[str, JsonObject]:
    return {
        "ConnectionArn": {
            "Type": "String",
            "Default": options.connection or "",
            "Description": "ARN of a connection that exists; empty to make one.",
        },
        "ConnectionProvider": {
            "Type": "String",
            "AllowedValues": ["GitHub", "GitLab", "Bitbucket", "AzureDevOps"],
            "Default": options.provider,
            "Description": "Who hosts the repository.",
        },
    }


def _connection() -> JsonObject:
    return {
        "Connection": {
            "# It is made PENDING: confirm it once in the console (Developer Tools > Settings >"
            " Connections), no pipeline can read the repository before.": None,
            "Type": CONNECTION,
            "Condition": "MakesConnection",
            "Properties": {
                "ConnectionName": "pipelines",
                "ProviderType": ref("ConnectionProvider"),
            },
        }
    }


def _output(
    description: str, value: JsonObject, export: str, condition: str | None = None
) -> JsonObject:
    found: JsonObject = {"Description": description, "Value": value, "Export": {"Name": export}}
    return found if condition is None else {"Condition": condition, **found}


def environments_by_place(deliveries: Iterable[Delivery]) -> Mapping[Place, list[Environment]]:
    """Group environments by account and region, in the order of the specs."""
    found: dict[Place, list[Environment]] = {}
    for delivery in deliveries:
        for environment in delivery.environments:
            found.setdefault(environment.place, []).append(environment)
    return found
