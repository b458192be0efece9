"""How UpdateModelPackage changes a package."""

from __future__ import annotations

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.operations.requests import given
from pipelines.json_types import JsonObject

APPROVALS = ("Approved", "Rejected", "PendingManualApproval")
_REPLACED = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
)
_MERGED = ("ModelCard", "ModelLifeCycle")
_MOST_PROPERTIES = 50
_MOST_SPECIFICATIONS = 15


def updated_package(content: JsonObject, request: JsonObject) -> JsonObject:
    """Return a package's content as a request changes it; members it does not name stay.

    Raises:
        ServiceError: ValidationException.
    """
    content = {**content, **given(request, _REPLACED)}
    for member in _MERGED:
        if member in request:
            content[member] = {**content.get(member, {}), **request[member]}
    _merge_properties(content, request)
    added = request.get("AdditionalInferenceSpecificationsToAdd") or []
    if added:
        specifications = [*content.get("AdditionalInferenceSpecifications", []), *added]
        _at_most(_MOST_SPECIFICATIONS, len(specifications), "additional inference specifications")
        content["AdditionalInferenceSpecifications"] = specifications
    return content


def _merge_properties(content: JsonObject, request: JsonObject) -> None:
    removed = request.get("CustomerMetadataPropertiesToRemove") or []
    properties = {
        **content.get("CustomerMetadataProperties", {}),
        **(request.get("CustomerMetadataProperties") or {}),
    }
    properties = {key: value for key, value in properties.items() if key not in removed}
    _at_most(_MOST_PROPERTIES, len(properties), "customer metadata properties")
    content.pop("CustomerMetadataProperties", None)
    if properties:
        content["CustomerMetadataProperties"] = properties


def _at_most(most: int, count: int, what: str) -> None:
    if count > most:
        raise invalid(f"the package would have {count} {what}; the maximum is {most}")
