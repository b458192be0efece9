"""Registry, endpoint and history → `State`. Nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipelines.programs.deploy import modes
from pipelines.programs.deploy.model import (
    DeploymentAttempt,
    DeploymentTarget,
    Endpoint,
    EndpointState,
    ModelVersion,
    package_version,
)

SERVICES = ("sagemaker", "sagemaker-runtime", "s3", "application-autoscaling", "cloudwatch")


class Clients(NamedTuple):
    """boto3's clients of one account, in the order of `SERVICES`."""

    sagemaker: Any
    runtime: Any
    s3: Any
    scaling: Any
    alarms: Any


def observe(clients: Clients, target: DeploymentTarget) -> EndpointState:
    """Read everything that a decision rests on."""
    attempts = read_attempts(clients, target.history)
    return EndpointState(
        read_versions(clients, target.group),
        find_endpoint(clients, target.endpoint),
        attempts,
        _configs(clients, target, {attempt.config for attempt in attempts}),
    )


def find_endpoint(clients: Clients, name: str) -> Endpoint | None:
    """Read an endpoint; None where there is none of that name."""
    sagemaker = clients.sagemaker
    if not exists(clients, "list_endpoints", "Endpoints", "EndpointName", name):
        return None
    found = sagemaker.describe_endpoint(EndpointName=name)
    config = found["EndpointConfigName"]
    described: dict[str, Any] = {"ProductionVariants": []}
    if exists(clients, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", config):
        described = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    return Endpoint(
        found["EndpointStatus"],
        config,
        modes.of(described).name,
        _package(clients, described["ProductionVariants"]),
        found.get("FailureReason"),
        *_variant(found),
    )


def _variant(endpoint: dict[str, Any]) -> tuple[int, str]:
    """Return how many instances the first variant of a described endpoint has, and its name."""
    for variant in endpoint.get("ProductionVariants", ()):
        return int(variant.get("CurrentInstanceCount", 0)), str(variant.get("VariantName", ""))
    return 0, ""


def exists(clients: Clients, operation: str, member: str, key: str, name: str) -> bool:
    """Return whether something exists, without a Describe call that may fail for other reasons."""
    found = _pages(clients, operation, member, NameContains=name)
    return any(one[key] == name for one in found)


def read_attempts(clients: Clients, history: str) -> tuple[DeploymentAttempt, ...]:
    """Read the history, oldest first."""
    bucket, prefix = split(history)
    found = (one["Key"] for one in _objects(clients, bucket, f"{prefix}/"))
    keys = sorted(key for key in found if key.endswith(".json"))
    return tuple(_attempt(clients, bucket, key) for key in keys)


def objects_below(clients: Clients, uri: str) -> dict[str, str]:
    """Return the objects whose URI begins with this one: URI → ETag."""
    bucket, prefix = split(uri)
    found = _objects(clients, bucket, prefix)
    return {f"s3://{bucket}/{one['Key']}": one.get("ETag", "").strip('"') for one in found}


def _objects(clients: Clients, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    request: dict[str, str] = {"Bucket": bucket, "Prefix": prefix}
    while True:
        page = clients.s3.list_objects_v2(**request)
        yield from page.get("Contents", ())
        if not page.get("IsTruncated"):
            break
        request["ContinuationToken"] = page["NextContinuationToken"]


def split(uri: str) -> tuple[str, str]:
    """Split `s3://bucket/key`."""
    bucket, _, key = uri[len("s3://") :].partition("/")
    return bucket, key


def _attempt(clients: Clients, bucket: str, key: str) -> DeploymentAttempt:
    written = json.loads(clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return DeploymentAttempt(**{name: written.get(name, "") for name in DeploymentAttempt._fields})


def read_versions(clients: Clients, group: str) -> tuple[ModelVersion, ...]:
    """Read the versions of a group, the highest first."""
    key = "ModelPackageGroupName"
    listed = "ModelPackageGroupSummaryList"
    if not exists(clients, "list_model_package_groups", listed, key, group):
        return ()
    found = _pages(
        clients,
        "list_model_packages",
        "ModelPackageSummaryList",
        ModelPackageGroupName=group,
        SortOrder="Descending",
    )
    versions = [
        ModelVersion(
            package_version(one["ModelPackageArn"]),
            one["ModelPackageArn"],
            one.get("ModelApprovalStatus", ""),
            one["ModelPackageStatus"],
        )
        for one in found
    ]
    return tuple(sorted(versions, key=lambda one: one.number, reverse=True))


def _configs(clients: Clients, target: DeploymentTarget, tried: set[str]) -> frozenset[str]:
    """Return the configs of the history that still exist."""
    listed, key = "list_endpoint_configs", "EndpointConfigName"
    prefix = target.config_name("").rpartition("-")[0]
    ours = {one[key] for one in _pages(clients, listed, "EndpointConfigs", NameContains=prefix)}
    others = (name for name in tried if prefix not in name)  # live before anything of ours
    return frozenset(
        {
            *(ours & tried),
            *(n for n in others if exists(clients, listed, "EndpointConfigs", key, n)),
        }
    )


def _package(clients: Clients, variants: list[dict[str, Any]]) -> str | None:
    """Find the package behind the first variant's model."""
    for variant in variants[:1]:
        name = variant["ModelName"]
        if exists(clients, "list_models", "Models", "ModelName", name):
            model = clients.sagemaker.describe_model(ModelName=name)
            container = model.get("PrimaryContainer") or (model.get("Containers") or [{}])[0]
            package: str | None = container.get("ModelPackageName")
            return package
    return None


def _pages(
    clients: Clients, operation: str, member: str, **request: Any
) -> Iterator[dict[str, Any]]:
    for page in clients.sagemaker.get_paginator(operation).paginate(**request):
        yield from page[member]
