"""Carries out the changes of endpoints: new fleets beside the old ones, one commit, then the swap.

The process that was asked for a change provisions it in a thread, and holds the endpoint's lock
meanwhile. A process that finds a change in progress whose lock nobody holds takes it over: the
process that had it was killed. `ServedEndpoints` holds the fleets of this process; a fleet starts
its own processes (`fleet.py`).
"""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.hosting.shadow import Mirror
from pipelines.backends.local.hosting.values import (
    FleetError,
    FleetSpec,
    Invocation,
    InvocationResponse,
)
from pipelines.backends.local.hosting.variants import fleet_spec, resolve_variants
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.state.endpoints import EndpointRecord, VariantRecord
from pipelines.backends.local.state.locks import is_running, running
from pipelines.backends.local.waiting import Waiting
from pipelines.errors import PipelinesError, UsageError
from pipelines.frozen import frozen

_CLOSING_SECONDS = 5.0
_REASON_LENGTH = 1024


class RunningFleet(Protocol):
    """What is needed of a `fleet.Fleet`.

    Attributes:
        stub: why no model answers; None where one does.
    """

    stub: str | None

    async def answer(self, invocation: Invocation, waiting: Waiting) -> InvocationResponse:
        """Process a request."""

    def stop(self) -> None:
        """Let running requests finish, then stop."""

    def interrupt(self) -> None:
        """End what processes a request: the request fails."""


class StartFleet(Protocol):
    """Starts the fleet of a variant; raises FleetError if its model does not load."""

    def __call__(self, spec: FleetSpec, *, proven: bool) -> RunningFleet:
        """Start it; `proven` if the model is known to load."""


@frozen
class ServedEndpoint:
    """The fleets of one endpoint.

    Args:
        change: the change that they serve.
        fleets: one per production variant.
        mirrors: one per shadow variant.
    """

    change: str
    fleets: Sequence[tuple[VariantRecord, RunningFleet]]
    mirrors: Sequence[Mirror] = ()

    def choose(self, target: str | None) -> tuple[VariantRecord, RunningFleet]:
        """Choose a variant by weight, or the one that the request names.

        Raises:
            ServiceError: there is no variant of that name.
        """
        if target is not None:
            for variant, fleet in self.fleets:
                if variant.name == target:
                    return variant, fleet
            raise ServiceError("ValidationError", f"Variant {target} not found.")
        if len(self.fleets) == 1:
            return self.fleets[0]
        weights = [variant.weight for variant, _ in self.fleets]
        if not any(weights):
            weights = [1.0] * len(weights)
        return random.choices(self.fleets, weights)[0]  # noqa: S311 - traffic, not a secret

    def stop(self) -> None:
        """Stop every fleet after its running requests."""
        for _, fleet in self.fleets:
            fleet.stop()
        for mirror in self.mirrors:
            mirror.stop()

    def interrupt(self) -> None:
        """Let running requests fail."""
        for _, fleet in self.fleets:
            fleet.interrupt()


class ServedEndpoints:
    """The endpoints that this process serves.

    Args:
        start: starts a fleet.
        folder: holds a folder per endpoint, for its logs and its provisioner's lock.
    """

    def __init__(self, start: StartFleet, folder: Path) -> None:
        self._start = start
        self._folder = folder
        self._current: dict[str, ServedEndpoint] = {}
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._guard = threading.Lock()
        self._ended = False

    def folder(self, endpoint: str) -> Path:
        """Return the folder of an endpoint."""
        return self._folder / endpoint

    def current(self, endpoint: EndpointRecord) -> ServedEndpoint | None:
        """Return the fleets of an endpoint that is in service; None where they do not run here."""
        served = self._current.get(endpoint.name)
        if served is None or served.change != endpoint.live_change:
            return None
        return served

    def serve(self, endpoint: EndpointRecord) -> ServedEndpoint:
        """Return the fleets of an endpoint that is in service, started if they are not running.

        Fleets of an earlier change serve until the new ones do; then they are stopped.

        Raises:
            FleetError: a model does not load, or this process ends.
        """
        with self.lock(endpoint.name):
            served = self.current(endpoint)
            if served is None:
                if self._ended:
                    raise FleetError("the local SageMaker is ending")
                change = endpoint.live_change or ""
                served = self.start(endpoint.name, change, endpoint.variants, proven=True)
                self.swap(endpoint.name, served)
        return served

    def start(
        self, endpoint: str, change: str, variants: Sequence[VariantRecord], *, proven: bool = False
    ) -> ServedEndpoint:
        """Start the fleets of a change; all of them or none.

        Raises:
            FleetError: a model does not load.
        """
        with ExitStack() as started:
            fleets: list[tuple[VariantRecord, RunningFleet]] = []
            mirrors: list[Mirror] = []
            weight = sum(one.weight for one in variants if not one.shadow)
            for variant in variants:
                spec = fleet_spec(endpoint, variant, self.folder(endpoint))
                fleet = self._start(spec, proven=proven)
                started.callback(fleet.stop)
                if variant.shadow:
                    share = variant.weight / weight if weight else 1.0
                    mirrors.append(Mirror(fleet, spec, share))
                else:
                    fleets.append((variant, fleet))
            started.pop_all()
        return ServedEndpoint(change, tuple(fleets), tuple(mirrors))

    def swap(self, endpoint: str, served: ServedEndpoint | None) -> None:
        """Send requests to other fleets from now on, and stop the previous ones."""
        with self._guard:
            before = self._current.pop(endpoint, None)
            if self._ended:  # while these fleets started
                before = served
            elif served is not None:
                self._current[endpoint] = served
        if before is not None:
            _in_background(before.stop)

    def lock(self, endpoint: str) -> threading.RLock:
        """Return the lock that is held while an endpoint's fleets are swapped."""
        with self._guard:
            return self._locks[endpoint]

    def stop(self) -> None:
        """Stop all fleets, for good; requests that take longer than some seconds fail."""
        with self._guard:
            self._ended = True
            every, self._current = list(self._current.values()), {}
        threads = [_in_background(served.stop) for served in every]
        end = time.monotonic() + _CLOSING_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        for served in every:
            served.interrupt()
        for thread in threads:
            thread.join()


class Provisioner:
    """Carries out changes, each in a thread of its own.

    Args:
        context: the state, and the time.
        served: the fleets of this process.
    """

    def __init__(self, context: OperationContext, served: ServedEndpoints) -> None:
        self._context = context
        self.served = served
        self._threads: dict[str, threading.Thread] = {}
        self._guard = threading.Lock()
        self._closing = False

    def ensure_running(self, endpoint: EndpointRecord) -> None:
        """Make sure that a live process carries out the pending change of an endpoint."""
        if endpoint.pending_config is None:
            return
        with self._guard:
            thread = self._threads.get(endpoint.name)
            if self._closing or (thread is not None and thread.is_alive()):
                return
            if is_running(self.served.folder(endpoint.name)):
                return
            thread = threading.Thread(
                target=self._run, args=(endpoint.name,), name="provisioner", daemon=True
            )
            self._threads[endpoint.name] = thread
            thread.start()

    def start_all(self) -> None:
        """Start serving, in the background, every endpoint that is in service."""
        for endpoint in self._context.state.endpoints.all():
            self.ensure_running(endpoint)
            if endpoint.live_change is not None:
                threading.Thread(target=self._serve, args=(endpoint,), daemon=True).start()

    def wait(self, name: str) -> None:
        """Wait until this process has carried out an endpoint's change."""
        thread = self._threads.get(name)
        if thread is not None:
            thread.join()

    def close(self) -> None:
        """Take no more changes, and stop all fleets; a slow change is left to other processes."""
        self._closing = True
        for thread in list(self._threads.values()):
            thread.join(_CLOSING_SECONDS)
        self.served.stop()

    def _serve(self, endpoint: EndpointRecord) -> None:
        with suppress(FleetError):  # reported to whoever invokes the endpoint
            self.served.serve(endpoint)

    def _run(self, name: str) -> None:
        try:
            with running(self.served.folder(name), name):
                endpoint = self._context.state.endpoints.find(name)
                while endpoint is not None and endpoint.pending_config and not self._closing:
                    self._provision(endpoint, endpoint.pending_config)
                    endpoint = self._context.state.endpoints.find(name)
        except UsageError:
            return  # another process was faster
        except PipelinesError:
            if not self._closing:
                raise

    def _provision(self, endpoint: EndpointRecord, config: str) -> None:
        try:
            variants = resolve_variants(self._context.state, config, endpoint.desired)
            served = self.served.start(endpoint.name, endpoint.change, variants)
        except FleetError as error:
            self._fail(endpoint, error.reason)
            return
        stubs = {variant.name: fleet.stub for variant, fleet in served.fleets}
        succeeded = replace(
            endpoint,
            status="InService",
            config=config,
            live_change=endpoint.change,
            variants=tuple(replace(one, stub=stubs.get(one.name)) for one in variants),
            failure=None,
        )
        with self.served.lock(endpoint.name):
            if not self._closing and self._finish(succeeded):
                self.served.swap(endpoint.name, served)
                return
        served.stop()

    def _fail(self, endpoint: EndpointRecord, reason: str) -> None:
        """Record that a change failed: what was served stays, like the service's rollback.

        An endpoint that never served anything is Failed.
        """
        status = "Failed" if endpoint.live_change is None else "InService"
        self._finish(replace(endpoint, status=status, failure=reason[:_REASON_LENGTH]))

    def _finish(self, endpoint: EndpointRecord) -> bool:
        ended = replace(endpoint, pending_config=None, modified=self._context.now())
        return self._context.state.endpoints.finish(ended)


def _in_background(action: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=action, name="stopping-fleet")
    thread.start()
    return thread
