"""What the service tells EventBridge of a model package: (before, after) → its events.

As the guide documents it: an event holds the package as it is after the change and names what an
update changed; it may be sent more than once, and late. Whether the event of a creation names
anything is not documented, so it is made in both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.backends.local.events.model import PACKAGE, UPDATED, EventOrigin, updated_fields
from pipelines.json_types import JsonObject

ACCOUNT, REGION = "111122223333", "us-east-1"
APPROVAL = "ModelApprovalStatus"


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
    arn = str(after["ModelPackageArn"])
    changed = updated_fields(before or {}, after)
    told = changed if before is not None or names_creation else []
    detail: JsonObject = {**after, **({UPDATED: told} if told else {})}
    origin = EventOrigin(f"{arn}/{len(changed)}", 1_795_000_000.0, ACCOUNT, REGION)
    return (origin.event(PACKAGE, [arn], detail),)
