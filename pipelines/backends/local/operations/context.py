"""What the operations share: the state, the account and the time."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.state.local_state import LocalState
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

BY_NOBODY: JsonObject = {"CreatedBy": {}, "LastModifiedBy": {}}
"""What the service says of callers that have no profile of Studio."""


@frozen
class OperationContext:
    """What a group of operations works on.

    Args:
        state: the stores.
        settings: region and account of ARNs.
        now: returns seconds since 1970.
    """

    state: LocalState
    settings: LocalSettings
    now: Callable[[], float] = time.time

    def arn(self, resource: str) -> str:
        """Return the ARN of a resource such as `model-package/flights/3`."""
        return self.settings.arn(resource)
