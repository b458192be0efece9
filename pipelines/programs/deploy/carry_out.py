"""A decision → calls, each of which may be the last before the process is killed.

Names are made of content: a model or a config that exists already is the right one. An outcome is
recorded as soon as it is known, before anything that follows from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.programs.deploy import modes, scaling
from pipelines.programs.deploy.model import (
    VARIANT,
    DeploymentAttempt,
    DeploymentTarget,
    Endpoint,
    UnfitPackageError,
)
from pipelines.programs.deploy.observe import Clients, exists, split
from pipelines.programs.deploy.sample import UNSEEN

SHADOW = "Shadow"
"""The name of the variant that gets copies of requests."""

_OF_PACKAGE = ("Image", "ModelDataUrl", "ModelDataSource")
"""What a container of a package and one of a model have in common."""


def make_config(clients: Clients, target: DeploymentTarget, package: str, shadow: str = "") -> None:
    """Create models and endpoint config of a package where they do not exist.

    Args:
        clients: boto3's clients.
        target: the target.
        package: the package to serve.
        shadow: the package that gets a copy of each request; empty for none.

    Raises:
        UnfitPackageError: a package cannot be served with these settings; nothing was created.
    """
    model = make_model(clients, target, package)
    mirrored: dict[str, Any] = {}
    if shadow:
        name, pending = target.shadow_name(shadow), _require_fit(clients, target, shadow)
        _require_single(pending)
        _make_model(clients, target, name, _unapproved(target, pending))
        variant = {"VariantName": SHADOW, "ModelName": name, **target.variant}
        mirrored["ShadowProductionVariants"] = [variant]
    config = target.config_name(package, shadow)
    listed, key = "list_endpoint_configs", "EndpointConfigName"
    if not exists(clients, listed, "EndpointConfigs", key, config):
        clients.sagemaker.create_endpoint_config(
            EndpointConfigName=config,
            ProductionVariants=[{"VariantName": VARIANT, "ModelName": model, **target.variant}],
            **mirrored,
            **target.config,
            **_tags(target),
        )


def make_model(clients: Clients, target: DeploymentTarget, package: str) -> str:
    """Create the model of a package where it does not exist; return its name.

    Raises:
        UnfitPackageError: the package cannot be served with these settings; nothing was created.
    """
    _require_fit(clients, target, package)
    container: dict[str, Any] = {"ModelPackageName": package}
    if target.environment:
        container["Environment"] = target.environment
    model = target.model_name(package)
    _make_model(clients, target, model, container)
    return model


def _make_model(
    clients: Clients, target: DeploymentTarget, name: str, container: dict[str, Any]
) -> None:
    if not exists(clients, "list_models", "Models", "ModelName", name):
        clients.sagemaker.create_model(
            ModelName=name,
            PrimaryContainer=container,
            ExecutionRoleArn=target.role,
            **target.model,
            **_tags(target),
        )


def _require_single(package: dict[str, Any]) -> None:
    """Check that a pending package has one container: a copy of it would be only a part."""
    count = len(package["InferenceSpecification"]["Containers"])
    if count > 1:
        raise UnfitPackageError(
            f"it has {count} containers, and only a version with one can get copies of requests"
        )


def _unapproved(target: DeploymentTarget, package: dict[str, Any]) -> dict[str, Any]:
    """Return the container of a package that CreateModel would refuse by its name."""
    container = package["InferenceSpecification"]["Containers"][0]
    environment = {**(container.get("Environment") or {}), **target.environment}
    made = {name: container[name] for name in _OF_PACKAGE if name in container}
    return {**made, "Environment": environment} if environment else made


def _require_fit(clients: Clients, target: DeploymentTarget, package: str) -> dict[str, Any]:
    """Check a package, which anybody may have registered, before anything is made of it."""
    described: dict[str, Any] = clients.sagemaker.describe_model_package(ModelPackageName=package)
    specification = described.get("InferenceSpecification") or {}
    containers = specification.get("Containers") or ()
    count = len(containers)
    mode = modes.find(target.mode)
    if count == 0:
        raise UnfitPackageError("it was registered without a container that could serve it")
    if count > 1 and not mode.chains_containers:
        raise UnfitPackageError(f"it has {count} containers, and {mode.noun} serves only one")
    if count > 1 and target.environment:
        raise UnfitPackageError(
            f"it has {count} containers, and the step's `environment:` is for a single one"
        )
    for container in containers:
        if mode.is_batch and container.get("ModelDataSource"):
            raise UnfitPackageError(
                "its model is no archive, and transform jobs take only archives"
            )
        _require_registered(clients, container)
    return described


def _require_registered(clients: Clients, container: dict[str, Any]) -> None:
    """Check that an archive is the one that was registered, and approved, by its ETag.

    Where none was recorded, or the archive may not be looked at, there is nothing to compare.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - not at import

    uri, recorded = container.get("ModelDataUrl") or "", container.get("ModelDataETag")
    if not recorded or not uri.startswith("s3://"):
        return
    bucket, key = split(uri)
    try:
        found = clients.s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in UNSEEN:
            raise
        return
    if found["ETag"].strip('"') != recorded.strip('"'):
        raise UnfitPackageError(
            f"its archive {uri} is not the one that was registered: it has been overwritten since"
        )


def start_transform(clients: Clients, target: DeploymentTarget, job: str, model: str) -> None:
    """Start the transform job of a batch."""
    clients.sagemaker.create_transform_job(
        TransformJobName=job, ModelName=model, **target.batch, **_tags(target)
    )


def create(clients: Clients, target: DeploymentTarget, config: str) -> None:
    """Begin to create the endpoint."""
    clients.sagemaker.create_endpoint(
        EndpointName=target.endpoint, EndpointConfigName=config, **_tags(target)
    )


def update(clients: Clients, target: DeploymentTarget, config: str, endpoint: Endpoint) -> None:
    """Begin to update the endpoint to a config, with the rollout where its mode takes one.

    What would make the service refuse it is deregistered before; scaling goes on afterwards.

    Raises:
        DeployError: somebody else scales the variant.
    """
    request: dict[str, Any] = {"EndpointName": target.endpoint, "EndpointConfigName": config}
    found = scaling.observe_scaling(clients, target)
    due = _variant(clients, config)
    if found.targets:
        live = _variant(clients, endpoint.config)
        scaling.carry_out(clients, target, scaling.in_the_way(target, found, live, due))
    request |= scaling.retained(target, endpoint, due)
    if target.deployment and modes.find(endpoint.mode).takes_rollout:
        request["DeploymentConfig"] = target.deployment
    clients.sagemaker.update_endpoint(**request)


def delete(clients: Clients, target: DeploymentTarget) -> None:
    """Delete the endpoint, and how it scales before."""
    found = scaling.observe_scaling(clients, target)
    scaling.carry_out(clients, target, scaling.before_deletion(found))
    clients.sagemaker.delete_endpoint(EndpointName=target.endpoint)


def _variant(clients: Clients, config: str) -> dict[str, Any]:
    """Read the variant of an endpoint config; an empty one where the config is gone."""
    listed, key = "list_endpoint_configs", "EndpointConfigName"
    if not exists(clients, listed, "EndpointConfigs", key, config):
        return {}
    described = clients.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    variant: dict[str, Any] = described["ProductionVariants"][0]
    return variant


def write_attempt(
    clients: Clients,
    target: DeploymentTarget,
    attempt: DeploymentAttempt,
    more: Mapping[str, Any] = {},
) -> None:
    """Add to the history, with whatever more is known of the attempt; the key sorts by time."""
    bucket, prefix = split(target.history)
    number = attempt.package.rpartition("/")[2]
    key = f"{prefix}/{attempt.started}-{number}-{attempt.outcome}.json"
    written = {
        **more,
        **attempt._asdict(),
        "version": int(number) if number.isdigit() else None,
        "endpoint": target.endpoint,
        "group": target.group,
    }
    text = json.dumps(written, indent=1, sort_keys=True) + "\n"
    clients.s3.put_object(Bucket=bucket, Key=key, Body=text.encode())


def _tags(target: DeploymentTarget) -> dict[str, list[dict[str, str]]]:
    tags = [{"Key": key, "Value": value} for key, value in sorted(target.tags.items())]
    return {"Tags": tags} if tags else {}
