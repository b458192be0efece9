"""Managed spot training: the interruption that `run --simulate interruption:STEP` asks for.

The job is interrupted once its first checkpoint is saved, or after some seconds without one: its
hosts get SIGTERM and the grace period, and new ones begin with what is saved, as in the service.
With `max_wait:STEP` there are no new ones before the job may wait no longer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Literal

from pipelines.backends.local.simulations.kinds.interruption import INTERRUPTION
from pipelines.backends.local.simulations.kinds.max_wait import MAX_WAIT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipelines.backends.local.jobs.checkpoints import CheckpointSync
    from pipelines.backends.local.settings import LocalSettings

_PATIENCE: Final = 10.0
"""Seconds of training after which a job without a checkpoint is interrupted."""


class SpotCapacity:
    """The capacity of one job, which is taken away at most once.

    Args:
        settings: of the job; what is simulated in it is among them.

    Attributes:
        notes: what has happened, for whoever watches.
        returns: whether there is new capacity after an interruption.
    """

    def __init__(self, settings: LocalSettings) -> None:
        self.notes: list[str] = []
        self.returns = not settings.simulated.get(MAX_WAIT)
        self._is_to_come = bool(settings.simulated.get(INTERRUPTION)) or not self.returns
        self._started = 0.0

    def begins(self) -> None:
        """Remember that hosts have been started."""
        self._started = time.monotonic()

    def tick(self, checkpoints: CheckpointSync) -> Literal["interrupted"] | None:
        """Return why the hosts are to end now, if they are."""
        if not self._is_to_come:
            return None
        if not checkpoints.saved and time.monotonic() - self._started < _PATIENCE:
            return None
        self._is_to_come = False
        return "interrupted"

    def interrupted(self, checkpoints: CheckpointSync, logs: Iterable[Path]) -> None:
        """Note that the hosts have ended, in their logs too."""
        ran = f"{time.monotonic() - self._started:.0f} s"
        what = f"simulated: its spot capacity was taken away after {ran}"
        if not self.returns:
            kept = f"is kept in {checkpoints.uri}" if checkpoints.saved else "is lost"
            then = f"none came back within MaxWaitTimeInSeconds; what it had done {kept}"
        elif checkpoints.saved:
            then = f"it goes on from its checkpoint in {checkpoints.uri}"
        else:
            then = "it starts from the beginning: it had saved no checkpoint in SM_CHECKPOINT_DIR"
        self.notes.append(f"{what}; {then}")
        for file in logs:
            with file.open("a", encoding="utf-8") as log:
                log.write(f"pipelines: {what}; {then}\n")

    def ended(self) -> tuple[str, ...]:
        """Return what to tell at the end of the job."""
        if self._is_to_come:
            self.notes.append("simulated: it ended before its spot capacity was taken away")
        return tuple(self.notes)
