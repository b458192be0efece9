"""What UpdateModelPackage does to a package."""

from __future__ import annotations

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.requests import Members, check_choice, given
from pipelines.json_types import JsonObject

_REPLACED = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
)
_MERGED = ("ModelCard", "ModelLifeCycle")
_MEMBERS = Members(
    ("ModelPackageArn",),
    (
        *_REPLACED,
        *_MERGED,
        "CustomerMetadataProperties",
        "CustomerMetadataPropertiesToRemove",
        "AdditionalInferenceSpecificationsToAdd",
        "ClientToken",
    ),
)
_APPROVALS = ("Approved", "Rejected", "PendingManualApproval")
_MOST_PROPERTIES = 50
_MOST_SPECIFICATIONS = 15


def updated(record: JsonObject, request: JsonObject) -> JsonObject:
    """Return a package's record as a request changes it; what is not named stays.

    Raises:
        ServiceError: ValidationException.
    """
    _MEMBERS.check(request)
    check_choice("ModelApprovalStatus", request.get("ModelApprovalStatus"), _APPROVALS)
    record = {**record, **given(request, _REPLACED)}
    for member in _MERGED:
        if member in request:
            record[member] = {**record.get(member, {}), **request[member]}
    _merge_properties(record, request)
    added = request.get("AdditionalInferenceSpecificationsToAdd") or []
    if added:
        specifications = [*record.get("AdditionalInferenceSpecifications", []), *added]
        _at_most(_MOST_SPECIFICATIONS, len(specifications), "additional inference specifications")
        record["AdditionalInferenceSpecifications"] = specifications
    return record


def _merge_properties(record: JsonObject, request: JsonObject) -> None:
    removed = request.get("CustomerMetadataPropertiesToRemove") or []
    properties = {
        **record.get("CustomerMetadataProperties", {}),
        **(request.get("CustomerMetadataProperties") or {}),
    }
    properties = {key: value for key, value in properties.items() if key not in removed}
    _at_most(_MOST_PROPERTIES, len(properties), "customer metadata properties")
    record.pop("CustomerMetadataProperties", None)
    if properties:
        record["CustomerMetadataProperties"] = properties


def _at_most(most: int, count: int, what: str) -> None:
    if count > most:
        raise invalid(f"the package would have {count} {what}; {most} are the most")
