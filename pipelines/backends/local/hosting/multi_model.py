"""A variant of many models: each archive below its prefix is a fleet, started when it is asked for.

The least recently used ones are stopped where there are too many, as the service unloads models
when memory runs short.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.hosting.boot import server_of
from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.values import (
    FleetError,
    FleetSpec,
    FleetStoppedError,
    Invocation,
    InvocationResponse,
)
from pipelines.backends.local.hosting.worker.located import OWN
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.waiting import Waiting
from pipelines.errors import PipelinesError

TARGET = "X-Amzn-SageMaker-Target-Model"
_MOST = 8
"""Models that are loaded at once."""


def is_multi_model(spec: FleetSpec) -> bool:
    """Return whether a variant serves many models.

    Raises:
        FleetError: it does, by a server that nobody here can stand in for.
    """
    if spec.container.get("Mode") != "MultiModel":
        return False
    image = str(spec.container.get("Image") or "")
    if server_of(image) in {"", OWN}:
        raise FleetError(
            f"the model is a multi-model container, which the server of the image {image} loads and"
            " unloads models for itself: that is not supported locally"
        )
    return True


class StartModel(Protocol):
    """Starts the fleet of one model; raises FleetError if it does not load, or is unwanted."""

    def __call__(self, spec: FleetSpec, *, unwanted: Callable[[], bool]) -> Fleet:
        """Start it; `unwanted` is asked while it loads."""


class MultiModelFleet:
    """The fleets of the models that were asked for; every method may be called from any thread.

    Args:
        spec: what is served; the `ModelDataUrl` of its container is the prefix.
        objects: where the models are.
        start: starts the fleet of one model.
    """

    stub: str | None = None

    def __init__(self, spec: FleetSpec, objects: ObjectStore, start: StartModel) -> None:
        self._spec = spec
        self._objects = objects
        self._start = start
        self._guard = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}
        self._fleets: OrderedDict[str, Fleet] = OrderedDict()
        self._ending: dict[Fleet, threading.Thread] = {}
        self._stopped = False

    async def answer(self, invocation: Invocation, waiting: Waiting) -> InvocationResponse:
        """Process a request by the model that it names.

        Raises:
            ServiceError: it names none, or one that is not below the prefix.
            FleetError: the model does not load, or does not respond.
            FleetStoppedError: this was stopped, also while the model was loaded.
        """
        target = invocation.headers.get(TARGET)
        if not target:
            message = "a multi-model endpoint needs the name of a model in TargetModel"
            raise ServiceError("ValidationError", message)
        fleet = self._loaded(target)
        if fleet is None:
            fleet = await waiting.call(partial(self._fleet, target))
        return await fleet.answer(invocation, waiting)

    def stop(self) -> None:
        """Stop every fleet after its running requests; a model that is loading is given up."""
        with self._guard:
            self._stopped = True
            while self._fleets:
                self._end(self._fleets.popitem()[1])
            threads = [*self._ending.values()]
        for thread in threads:
            thread.join()

    def interrupt(self) -> None:
        """End what processes a request: the request fails."""
        with self._guard:
            fleets = [*self._fleets.values(), *self._ending]
        for fleet in fleets:
            fleet.interrupt()

    def _fleet(self, target: str) -> Fleet:
        """Return the fleet of a model, started where it does not run."""
        spec = self._spec_of(target)
        with self._guard:
            loading = self._loading.setdefault(target, threading.Lock())
        with loading:
            loaded = self._loaded(target)
            if loaded is not None:
                return loaded
            if not self._stopped:
                self._keep(target, self._started(spec))
        fleet = self._loaded(target)
        if fleet is None:
            raise FleetStoppedError("the endpoint was updated or deleted")
        return fleet

    def _started(self, spec: FleetSpec) -> Fleet:
        try:
            return self._start(spec, unwanted=lambda: self._stopped)
        except FleetError:
            if not self._stopped:
                raise
            raise FleetStoppedError("the endpoint was updated or deleted") from None

    def _keep(self, target: str, fleet: Fleet) -> None:
        """Keep a fleet that was started; stop the one that was not asked for longest, if any."""
        with self._guard:
            self._fleets[target] = fleet
            while self._fleets and (self._stopped or len(self._fleets) > _MOST):
                self._end(self._fleets.popitem(last=False)[1])

    def _end(self, fleet: Fleet) -> None:
        """Stop a fleet in the background: no other request waits for those that it processes."""
        thread = threading.Thread(target=self._stop_one, args=(fleet,), name="stopping-fleet")
        self._ending[fleet] = thread
        thread.start()

    def _stop_one(self, fleet: Fleet) -> None:
        fleet.stop()
        with self._guard:
            del self._ending[fleet]

    def _loaded(self, target: str) -> Fleet | None:
        """Return the fleet of a model that runs, and that was asked for last from now on."""
        with self._guard:
            if target in self._fleets:
                self._fleets.move_to_end(target)
            return self._fleets.get(target)

    def _spec_of(self, target: str) -> FleetSpec:
        """Return what serves one model.

        Raises:
            ServiceError: there is none of that name.
        """
        prefix = self._spec.container["ModelDataUrl"].rstrip("/")
        url = f"{prefix}/{target.lstrip('/')}"
        try:
            self._objects.info(url)
        except PipelinesError:
            message = f"Failed to download model data ({url}): there is no such object"
            raise ServiceError("ValidationError", message) from None
        container = {**self._spec.container, "ModelDataUrl": url}
        return replace(self._spec, name=f"{self._spec.name}/{target}", container=container)
