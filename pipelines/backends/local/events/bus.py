"""The default event bus: takes the changes in their order, and hands their events to targets.

A change is removed once its events were handed on; after a crash between the two they are handed on
again, and the same client token starts nothing twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from pipelines.backends.local.events.delivery import Delivery
from pipelines.backends.local.events.model import events_of
from pipelines.backends.local.events.rules import Rule
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.state.changes import ChangeRecord
from pipelines.errors import PipelinesError

_POLL_SECONDS: Final = 0.2
"""How long a change of another process may go unnoticed."""

_log = logging.getLogger("pipelines.api")


class EventBus:
    """Hands events on, in a thread of its own, until it is closed.

    Args:
        sagemaker: whose changes are events, and where pipelines are started.
        rules: which events are handed to whom.
        say: writes a line of the server's log.
    """

    def __init__(
        self, sagemaker: LocalSageMaker, rules: tuple[Rule, ...], say: Callable[[str], None]
    ) -> None:
        self._sagemaker = sagemaker
        self._delivery = Delivery(sagemaker)
        self._rules = rules
        self._say = say
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Begin with what happened while no server ran."""
        targets: dict[str, tuple[str, ...]] = {}
        for rule in self._rules:  # templates of two accounts may have a name in common
            arns = (one.arn for one in rule.targets)
            targets[rule.name] = (*targets.get(rule.name, ()), *arns)
        self._sagemaker.answer_for_rules(targets)
        self._sagemaker.changes.watch()
        self._thread.start()

    def close(self) -> None:
        """Hand nothing on any more; what waits is handed on by the next server."""
        self._closed.set()
        self._thread.join()

    def deliver(self) -> None:
        """Hand on the events of the changes that wait now."""
        for change in self._sagemaker.changes.waiting():
            if self._closed.is_set():
                return
            try:
                self._hand_on(change)
            except PipelinesError:
                raise  # it waits until the state can be read again
            except Exception:  # noqa: BLE001 - our fault; the changes after it are still handed on
                _log.exception(
                    "internal error: no events are sent for a change of %s", change.resource
                )
            self._sagemaker.changes.remove(change.number)

    def _run(self) -> None:
        while not self._closed.wait(_POLL_SECONDS):
            try:
                self.deliver()
            except PipelinesError as error:  # the state is locked, or the disk is full
                self._say(f"events wait: {error.problem}")
            except Exception:  # noqa: BLE001 - the outermost frame of this thread
                _log.exception("internal error while events were handed on")

    def _hand_on(self, change: ChangeRecord) -> None:
        settings = self._sagemaker.settings
        for event in events_of(change, settings.account, settings.region):
            for rule in self._rules:
                if rule.takes(event):
                    for target in rule.targets:
                        outcome = self._delivery.outcome(rule.name, target, event)
                        self._say(f"{rule.name}: {outcome}")
