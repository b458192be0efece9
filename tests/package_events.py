"""What the service tells EventBridge of a model package: (before, after) → its events.

As the guide documents it: an event holds the package as it is after the change and names what an
update changed; it may be sent more than once, and late. Whether the event of a creation names
anything is not documented, so it is made in both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.json_types import JsonObject

ACCOUNT, REGION = "111122223333", "us-east-1"
APPROVAL = "ModelApprovalStatus"
FIELDS = {
    APPROVAL: APPROVAL,
    "ModelLifeCycle": "ModelLifeCycle",
    "ApprovalDescription": "ApprovalDescription",
    "SourceUri": "sourceUri",
    "CustomerMetadataProperties": "CustomerMetadataProperties",
    "InferenceSpecification": "InferenceSpecification",
}
"""Members of a package → how an event says that they were updated."""


def events(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], *, names_creation: bool = False
) -> tuple[JsonObject, ...]:
    """Return what is sent when a package is created or changed; nothing when nothing changed.

    Args:
        before: the package before; None when it is created now.
        after: the package after.
        names_creation: whether the event of a creation says what was "updated".
    """
    if before == after:
        return ()
    changed = [said for member, said in FIELDS.items() if _differs(before, after, member)]
    told = changed if before is not None or names_creation else []
    arn = str(after["ModelPackageArn"])
    detail: JsonObject = dict(after)
    if told:
        detail["UpdatedModelPackageFields"] = told
    event = {
        "version": "0",
        "id": f"{arn}/{len(changed)}",
        "detail-type": "SageMaker Model Package State Change",
        "source": "aws.sagemaker",
        "account": ACCOUNT,
        "time": "2026-11-25T12:00:00Z",
        "region": REGION,
        "resources": [arn],
        "detail": detail,
    }
    return (event,)


def _differs(before: Mapping[str, Any] | None, after: Mapping[str, Any], member: str) -> bool:
    return (before or {}).get(member) != after.get(member)
