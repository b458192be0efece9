"""A decision → calls, each of which may be the last before the process is killed.

Names are made of content: a model or a config that exists already is the right one. An outcome is
recorded as soon as it is known, before anything that follows from it.
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.programs.deploy import modes
from pipelines.programs.deploy.model import (
    DeploymentAttempt,
    DeploymentTarget,
    Endpoint,
    UnfitPackageError,
)
from pipelines.programs.deploy.observe import Clients, exists, split
from pipelines.programs.deploy.sample import UNSEEN

VARIANT = "AllTraffic"


def make_config(clients: Clients, target: DeploymentTarget, package: str) -> None:
    """Create model and endpoint config of a package where they do not exist.

    Raises:
        UnfitPackageError: the package cannot be served with these settings; nothing was created.
    """
    _require_fit(clients, target, package)
    model, config = target.model_name(package), target.config_name(package)
    tags = _tags(target)
    if not exists(clients, "list_models", "Models", "ModelName", model):
        container: dict[str, Any] = {"ModelPackageName": package}
        if target.environment:
            container["Environment"] = target.environment
        clients.sagemaker.create_model(
            ModelName=model,
            PrimaryContainer=container,
            ExecutionRoleArn=target.role,
            **target.model,
            **tags,
        )
    if not exists(
        clients, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", config
    ):
        variant = {"VariantName": VARIANT, "ModelName": model, **target.variant}
        clients.sagemaker.create_endpoint_config(
            EndpointConfigName=config, ProductionVariants=[variant], **target.config, **tags
        )


def _require_fit(clients: Clients, target: DeploymentTarget, package: str) -> None:
    """Check a package, which anybody may have registered, before anything is made of it."""
    described = clients.sagemaker.describe_model_package(ModelPackageName=package)
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
        _require_registered(clients, container)


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


def create(clients: Clients, target: DeploymentTarget, config: str) -> None:
    """Begin to create the endpoint."""
    clients.sagemaker.create_endpoint(
        EndpointName=target.endpoint, EndpointConfigName=config, **_tags(target)
    )


def update(clients: Clients, target: DeploymentTarget, config: str, endpoint: Endpoint) -> None:
    """Begin to update the endpoint to a config, with the rollout where its mode takes one."""
    request: dict[str, Any] = {"EndpointName": target.endpoint, "EndpointConfigName": config}
    if target.deployment and modes.find(endpoint.mode).takes_rollout:
        request["DeploymentConfig"] = target.deployment
    clients.sagemaker.update_endpoint(**request)


def delete(clients: Clients, target: DeploymentTarget) -> None:
    """Delete the endpoint."""
    clients.sagemaker.delete_endpoint(EndpointName=target.endpoint)


def write_attempt(clients: Clients, target: DeploymentTarget, attempt: DeploymentAttempt) -> None:
    """Add to the history; the key sorts by time."""
    bucket, prefix = split(target.history)
    number = attempt.package.rpartition("/")[2]
    key = f"{prefix}/{attempt.started}-{number}-{attempt.outcome}.json"
    written = {
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
