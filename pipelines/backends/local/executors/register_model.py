"""RegisterModel: a model package in the local registry, exactly once per execution and step."""

from __future__ import annotations

import hashlib

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.executors.contract import ModelRegistry, StepCall, StepOutcome
from pipelines.execution.status import StepStatus
from pipelines.json_types import Json, JsonObject

_TOKEN_LENGTH = 32


def execute(call: StepCall) -> StepOutcome:
    """Create the package, and its group where it is not there.

    The client token is made of execution and step and is stored with the package: an attempt
    that follows a crash between creating and recording finds the package of the one before.
    """
    request = dict(call.arguments)
    tags = request.pop("Tags", None)
    group = request.get("ModelPackageGroupName")
    if group is None:
        request["Tags"] = tags or []
        request["ModelPackageName"] = request.get("ModelPackageName") or call.job_name
    else:
        _ensure_group(call.registry, str(group), tags)
    request["ClientToken"] = client_token(call)
    request["MetadataProperties"] = {
        "GeneratedBy": call.execution.arn,
        **request.get("MetadataProperties", {}),
    }
    arn = call.registry.create_model_package(**request)["ModelPackageArn"]
    return StepOutcome(
        StepStatus.SUCCEEDED,
        properties=call.registry.describe_model_package(ModelPackageName=arn),
        metadata={"RegisterModel": {"Arn": arn}},
    )


def client_token(call: StepCall) -> str:
    """Make the token of a step: the same for every attempt, of no more than 36 characters."""
    text = f"{call.execution.id}/{call.name}"
    return hashlib.sha256(text.encode()).hexdigest()[:_TOKEN_LENGTH]


def _ensure_group(registry: ModelRegistry, group: str, tags: Json) -> None:
    """Create a group that is not there, as the service's step does; its packages bear its tags."""
    if _has_group(registry, group):
        return
    request: JsonObject = {"ModelPackageGroupName": group, "Tags": tags or []}
    try:
        registry.create_model_package_group(**request)
    except ServiceError:
        if not _has_group(registry, group):  # else: another execution was faster
            raise


def _has_group(registry: ModelRegistry, group: str) -> bool:
    try:
        registry.describe_model_package_group(ModelPackageGroupName=group)
    except ServiceError as error:
        if error.code != "ValidationException":
            raise
        return False
    return True
