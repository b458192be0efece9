"""What this process serves: the fleets of each endpoint, swapped as a whole."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.hosting.store import Endpoint
from pipelines.backends.local.hosting.variants import Variant
from pipelines.backends.local.model_server.values import Answer, FleetSpec, Invocation
from pipelines.frozen import frozen


class AnyFleet(Protocol):
    """What is needed of a `model_server.fleet.Fleet`."""

    def invoke(self, invocation: Invocation) -> Answer:
        """Answer a request."""

    def stop(self) -> None:
        """Let requests end and stop."""


class StartFleet(Protocol):
    """Starts the fleet of a variant; raises FleetError where its model does not load."""

    def __call__(self, spec: FleetSpec, *, proven: bool) -> AnyFleet:
        """Start; `proven` where the model is known to load."""


@frozen
class Serving:
    """The fleets of one endpoint.

    Args:
        live: the change that they serve.
        fleets: one per variant.
    """

    live: str
    fleets: Sequence[tuple[Variant, AnyFleet]]

    def choose(self, target: str | None) -> tuple[Variant, AnyFleet]:
        """Choose a variant by weight, or the one that the request names.

        Raises:
            ServiceError: it names none that there is.
        """
        if target is not None:
            for variant, fleet in self.fleets:
                if variant.name == target:
                    return variant, fleet
            raise ServiceError("ValidationError", f"Variant {target} not found.")
        weights = [variant.weight for variant, _ in self.fleets]
        if not any(weights):
            weights = [1.0] * len(weights)
        return random.choices(self.fleets, weights)[0]  # noqa: S311 - traffic, no secret

    def stop(self) -> None:
        """Stop every fleet after its requests."""
        for _, fleet in self.fleets:
            fleet.stop()


class Fleets:
    """The endpoints that this process serves.

    Args:
        start: starts a fleet.
        folder: where logs go, by endpoint.
    """

    def __init__(self, start: StartFleet, folder: Path) -> None:
        self._start = start
        self._folder = folder
        self._current: dict[str, Serving] = {}
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._guard = threading.Lock()

    def folder(self, endpoint: str) -> Path:
        """Say where an endpoint's logs and its provisioner's lock are."""
        return self._folder / endpoint

    def of(self, endpoint: Endpoint) -> Serving:
        """Return the fleets of an endpoint that is in service; start them where they are not.

        Fleets of an earlier change answer until the later ones do, then they are stopped.

        Raises:
            FleetError: a model does not load.
        """
        live = endpoint.live or ""
        serving = self._current.get(endpoint.name)
        if serving is not None and serving.live == live:
            return serving
        with self.lock(endpoint.name):
            serving = self._current.get(endpoint.name)
            if serving is None or serving.live != live:
                serving = self.bring_up(endpoint.name, live, endpoint.variants, proven=True)
                self.swap(endpoint.name, serving)
        return serving

    def bring_up(
        self, endpoint: str, live: str, variants: Sequence[Variant], *, proven: bool = False
    ) -> Serving:
        """Start the fleets of a change; all of them or none.

        Raises:
            FleetError: a model does not load.
        """
        with ExitStack() as started:
            fleets: list[tuple[Variant, AnyFleet]] = []
            for variant in variants:
                spec = variant.spec(endpoint, self.folder(endpoint))
                fleet = self._start(spec, proven=proven)
                started.callback(fleet.stop)
                fleets.append((variant, fleet))
            started.pop_all()
        return Serving(live, tuple(fleets))

    def swap(self, endpoint: str, serving: Serving | None) -> None:
        """Send requests to other fleets from now on, and stop the ones before."""
        with self._guard:
            before = self._current.pop(endpoint, None)
            if serving is not None:
                self._current[endpoint] = serving
        if before is not None:
            _in_background(before.stop)

    def lock(self, endpoint: str) -> threading.RLock:
        """Return what is held while an endpoint's fleets are exchanged."""
        with self._guard:
            return self._locks[endpoint]

    def stop(self) -> None:
        """Stop everything."""
        with self._guard:
            every, self._current = list(self._current.values()), {}
        threads = [_in_background(serving.stop) for serving in every]
        for thread in threads:
            thread.join()


def _in_background(action: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=action, name="stopping-fleet")
    thread.start()
    return thread
