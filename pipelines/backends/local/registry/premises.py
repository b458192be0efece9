"""What every group of operations stands on: the state, the account, the time."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipelines.backends.local.executors.contract import LocalSettings
from pipelines.backends.local.state.database import Database
from pipelines.frozen import frozen


@frozen
class Premises:
    """The ground of a group of operations.

    Args:
        database: the state.
        settings: region and account of ARNs.
        now: seconds since 1970.
    """

    database: Database
    settings: LocalSettings
    now: Callable[[], float] = time.time

    def arn(self, resource: str) -> str:
        """Write the ARN of a resource such as `model-package/flights/3`."""
        return f"arn:aws:sagemaker:{self.settings.region}:{self.settings.account}:{resource}"
