"""Brings up what an endpoint wants: new fleets beside the old ones, then one commit, then the swap.

The process that was asked for a change provisions it in a thread and holds the endpoint's lock
meanwhile. Whoever finds a change under way whose lock nobody holds carries it on: the process
that had it was killed.
"""

from __future__ import annotations

import threading

from pipelines.backends.local.hosting.fleets import Fleets
from pipelines.backends.local.hosting.store import Endpoint, EndpointStore
from pipelines.backends.local.hosting.variants import variants_of
from pipelines.backends.local.model_server.values import FleetError
from pipelines.backends.local.state.lock import is_running, running
from pipelines.errors import PipelinesError, UsageError

_CLOSING_SECONDS = 5.0


class Provisioner:
    """Carries changes out, each in a thread of its own."""

    def __init__(self, store: EndpointStore, fleets: Fleets) -> None:
        self._store = store
        self._fleets = fleets
        self._threads: dict[str, threading.Thread] = {}
        self._guard = threading.Lock()
        self._closing = False

    def attend(self, endpoint: Endpoint) -> None:
        """Make sure that somebody carries out the change that an endpoint wants."""
        if endpoint.wanted is None:
            return
        with self._guard:
            thread = self._threads.get(endpoint.name)
            if self._closing or (thread is not None and thread.is_alive()):
                return
            if is_running(self._fleets.folder(endpoint.name)):
                return
            thread = threading.Thread(
                target=self._carry_on, args=(endpoint.name,), name="provisioner", daemon=True
            )
            self._threads[endpoint.name] = thread
            thread.start()

    def wait(self, name: str) -> None:
        """Wait until this process has carried out an endpoint's change."""
        thread = self._threads.get(name)
        if thread is not None:
            thread.join()

    def close(self) -> None:
        """Stop taking changes; one that takes long is left to whoever looks at it next."""
        self._closing = True
        for thread in list(self._threads.values()):
            thread.join(_CLOSING_SECONDS)

    def _carry_on(self, name: str) -> None:
        try:
            with running(self._fleets.folder(name), name):
                endpoint = self._store.find(name)
                while endpoint.wanted is not None and not self._closing:
                    self._provision(endpoint)
                    endpoint = self._store.find(name)
        except UsageError:
            return  # deleted meanwhile, or another process was faster
        except PipelinesError:
            if not self._closing:
                raise

    def _provision(self, endpoint: Endpoint) -> None:
        database, wanted = self._store.premises.database, endpoint.wanted or endpoint.config
        try:
            variants = variants_of(database, wanted, endpoint.desired)
            serving = self._fleets.bring_up(endpoint.name, endpoint.change, variants)
        except FleetError as error:
            self._store.fail(endpoint, error.reason)
            return
        with self._fleets.lock(endpoint.name):
            if not self._closing and self._store.succeed(endpoint, variants) is not None:
                self._fleets.swap(endpoint.name, serving)
                return
        serving.stop()
