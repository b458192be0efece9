"""RegisterModel: creates a model package, exactly once per execution and step."""

from __future__ import annotations

import hashlib
import tarfile

from pipelines.backends.local.errors import ServiceError, invalid
from pipelines.backends.local.executors.contract import ModelRegistry, StepCall, StepOutcome
from pipelines.backends.local.object_uris import ObjectUriError
from pipelines.backends.local.objects import NoSuchObjectError, ObjectStore
from pipelines.execution.status import StepStatus
from pipelines.json_types import Json, JsonObject

_TOKEN_LENGTH = 32
_EMPTY_BYTES = 1024
"""A packed archive of nothing is smaller; one with a model is not opened."""


def execute(call: StepCall) -> StepOutcome:
    """Create the package, and its group if it does not exist.

    The client token is derived from execution and step and stored with the package: after a
    crash between creating and recording it, the next attempt finds the package.
    """
    request = dict(call.arguments)
    tags = request.pop("Tags", None)
    group = request.get("ModelPackageGroupName")
    if group is None:
        request["Tags"] = tags or []
        request["ModelPackageName"] = request.get("ModelPackageName") or call.job_name
    else:
        _ensure_group(call.registry, str(group), tags)
    _require_models(request, ObjectStore(call.settings.home / "s3"))
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


def _require_models(request: JsonObject, objects: ObjectStore) -> None:
    """Refuse an archive without a file, which the service would register; it can never serve.

    Raises:
        ServiceError: a training job has left /opt/ml/model empty.
    """
    for container in (request.get("InferenceSpecification") or {}).get("Containers") or ():
        uri = container.get("ModelDataUrl")
        if isinstance(uri, str) and _is_empty_archive(uri, objects):
            raise invalid(
                f"the model {uri} is empty: its training job left nothing in /opt/ml/model",
                "the script has to write the model there (SM_MODEL_DIR)",
            )


def _is_empty_archive(uri: str, objects: ObjectStore) -> bool:
    try:
        found = objects.info(uri)
    except (NoSuchObjectError, ObjectUriError):
        return False  # it is checked where it is deployed, or lies elsewhere
    if found.size > _EMPTY_BYTES:
        return False
    try:
        with tarfile.open(found.path) as archive:
            return archive.next() is None
    except tarfile.TarError:
        return False  # it is damaged: whoever unpacks it says how


def client_token(call: StepCall) -> str:
    """Return the token of a step: the same for every attempt, of at most 36 characters."""
    text = f"{call.execution.id}/{call.name}"
    return hashlib.sha256(text.encode()).hexdigest()[:_TOKEN_LENGTH]


def _ensure_group(registry: ModelRegistry, group: str, tags: Json) -> None:
    """Create a missing group, like the service's step; the tags of the step go to the group."""
    if _has_group(registry, group):
        return
    request: JsonObject = {"ModelPackageGroupName": group, "Tags": tags or []}
    try:
        registry.create_model_package_group(**request)
    except ServiceError:
        if not _has_group(registry, group):  # otherwise another execution has just created it
            raise


def _has_group(registry: ModelRegistry, group: str) -> bool:
    try:
        registry.describe_model_package_group(ModelPackageGroupName=group)
    except ServiceError as error:
        if error.code != "ValidationException":
            raise
        return False
    return True
