"""What the repositories of one account and region need → the template of the stack they share.

Buckets and the registry outlive a stack: what holds a team's models is not deleted with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipelines.infra import federation, notifications
from pipelines.infra.buckets import kept_bucket
from pipelines.infra.model import (
    ARTIFACTS,
    REVIEWS,
    SHARED,
    SOURCE,
    Place,
    logical_id,
)
from pipelines.infra.regions import CONNECTION
from pipelines.infra.template import Template, attribute, ref, sub
from pipelines.infra.tenants import METADATA, Resident, Tenant
from pipelines.json_types import JsonObject

KEY: Final = "pipelines-shared-Key"
"""The name that the stack exports its key under."""

CONNECTION_ID: Final = "Connection"
"""What the ids of connections begin with; the host that each is to follows."""

_RUNS_DAYS: Final = 180
_ARTIFACT_DAYS: Final = 30
_SLACK_DAYS: Final = 30
_LONGEST_RULE: Final = 255


def export_of(connection: str) -> str:
    """Return the name that the connection to a host is exported under."""
    return f"{SHARED}-{CONNECTION_ID}-{connection}"


def shared(place: Place, tenants: Iterable[Tenant], kept: Iterable[str] = ()) -> Template:
    """Return the template of what the pipelines of a place share.

    Args:
        place: the account and region.
        tenants: the repositories that use it, in any order.
        kept: hosts to which there are connections that stay, though no repository needs them:
            CloudFormation removes nothing that another stack imports.
    """
    tenants = tuple(sorted(tenants, key=lambda one: one.repository))
    connections = sorted({*kept, *(one.connection for one in tenants if one.connection)})
    issuers = sorted({one.issuer for one in tenants if one.issuer})
    parameters, conditions = _parameters(tenants), _is_true("MakesKey", "CreateKey")
    for issuer in issuers:
        parameters[federation.creates(issuer)] = federation.PARAMETER
        conditions |= _is_true(federation.condition(issuer), federation.creates(issuer))
    return Template(
        "What the pipelines of this account and region share: buckets, key, connections, topics.",
        parameters,
        conditions,
        {
            **_key(),
            **_buckets(tenants),
            **_own_buckets(place, tenants),
            **{f"{CONNECTION_ID}{host}": _connection(host) for host in connections},
            **notifications.shared_topics(place, tenants),
            **{
                name: one for issuer in issuers for name, one in federation.provider(issuer).items()
            },
        },
        {
            "Key": _output(
                "The key, for `aws.kms_key` of the specs.", attribute("Key"), KEY, "MakesKey"
            ),
            **{f"{CONNECTION_ID}{host}": _connection_output(host) for host in connections},
        },
        {
            "# What each repository needs: `ci apply` of one keeps what the others need.": None,
            METADATA: {one.repository: one.facts() for one in tenants},
        },
    )


def _is_true(condition: str, parameter: str) -> JsonObject:
    return {condition: {"Fn::Equals": [ref(parameter), "true"]}}


def _parameters(tenants: Iterable[Tenant]) -> dict[str, JsonObject]:
    cached = max((one.cached_days for one in tenants), default=0)
    days = max(_RUNS_DAYS, cached + _SLACK_DAYS if cached else 0)
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


def _buckets(tenants: Iterable[Tenant]) -> JsonObject:
    """Return the buckets that the specs name; several pipelines may share one."""
    users: dict[str, list[tuple[Tenant, Resident]]] = {}
    for tenant in tenants:
        for one in tenant.residents:
            users.setdefault(one.bucket, []).append((tenant, one))
    made: JsonObject = {}
    for name, theirs in sorted(users.items()):
        rules = {one.pipeline: _expiring(tenant, one.pipeline) for tenant, one in theirs}
        key = _common_key(one for _, one in theirs)
        made |= kept_bucket(logical_id("Bucket", name), {"BucketName": name}, rules.values(), key)
    return made


def _expiring(tenant: Tenant, pipeline: str) -> JsonObject:
    """Return the rule by which outputs of runs expire.

    Its name has the repository's: CloudFormation takes over metadata of a template only where a
    resource changes with them, and a repository that is renamed would change none.
    """
    return {
        "# Outputs of runs. Code, packages and deployments never go by age: a registered"
        " model names them.": None,
        "Id": f"runs-of-{pipeline} ({tenant.repository})"[:_LONGEST_RULE],
        "Status": "Enabled",
        "Prefix": f"{pipeline}/runs/",
        "ExpirationInDays": ref("RunsExpireAfterDays"),
    }


def _common_key(residents: Iterable[Resident]) -> str | None:
    """Return the key of pipelines that share a bucket; the roles of each may use its own alone."""
    keys = {one.kms_key for one in residents}
    return keys.pop() if len(keys) == 1 else None


def _own_buckets(place: Place, tenants: tuple[Tenant, ...]) -> JsonObject:
    """Return the buckets of the CI: artifacts, and uploads where there is no connection."""
    served = [(tenant, one) for tenant in tenants for one in tenant.residents if one.has_ci]
    if not served:
        return {}
    key = _common_key(one for _, one in served)
    made = _artifacts("Artifacts", place.bucket(ARTIFACTS), "what stages hand on", key)
    if any(tenant.source != "s3" for tenant, _ in served):
        unseen = "the same for pull requests: code that nobody has reviewed yet"
        made |= _artifacts("Reviews", place.bucket(REVIEWS), unseen, key)
    if all(tenant.source != "s3" for tenant, _ in served):
        return made
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


def _connection(host: str) -> JsonObject:
    return {
        "# It is made PENDING: confirm it once in the console (Developer Tools > Settings >"
        " Connections), no pipeline can read a repository before.": None,
        "Type": CONNECTION,
        "Properties": {"ConnectionName": f"pipelines-{host.lower()}", "ProviderType": host},
    }


def _connection_output(host: str) -> JsonObject:
    value = ref(f"{CONNECTION_ID}{host}")
    return _output(f"The connection to the repositories at {host}.", value, export_of(host))


def _output(
    description: str, value: JsonObject, export: str, condition: str | None = None
) -> JsonObject:
    found: JsonObject = {"Description": description, "Value": value, "Export": {"Name": export}}
    return found if condition is None else {"Condition": condition, **found}
