"""Hosting as one object: what LocalSageMaker takes its operations from."""

from __future__ import annotations

import threading
from contextlib import suppress

from pipelines.backends.local.hosting.configs import EndpointConfigs
from pipelines.backends.local.hosting.endpoints import Endpoints
from pipelines.backends.local.hosting.fleets import AnyFleet, Fleets, StartFleet
from pipelines.backends.local.hosting.invocations import Invocations
from pipelines.backends.local.hosting.provisioner import Provisioner
from pipelines.backends.local.hosting.store import Endpoint, EndpointStore
from pipelines.backends.local.model_server.values import FleetError, FleetSpec
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.registry.premises import Premises


class Hosting:
    """Endpoint configs, endpoints, and what this process serves.

    Args:
        premises: state, account and time.
        objects: where models are.
        start: starts a fleet, where it is not `Fleet.start` that should.
    """

    def __init__(
        self, premises: Premises, objects: ObjectStore, start: StartFleet | None = None
    ) -> None:
        def start_fleet(spec: FleetSpec, *, proven: bool) -> AnyFleet:
            from pipelines.backends.local.model_server.fleet import Fleet  # noqa: PLC0415 - only where something is served

            return Fleet.start(spec, premises.settings, objects, proven=proven)

        store = self._store = EndpointStore(premises)
        fleets = self._fleets = Fleets(start or start_fleet, premises.settings.home / "endpoints")
        provisioner = self._provisioner = Provisioner(store, fleets)
        configs = EndpointConfigs(premises, store)
        self.create_endpoint_config = configs.create_endpoint_config
        self.describe_endpoint_config = configs.describe_endpoint_config
        self.list_endpoint_configs = configs.list_endpoint_configs
        self.delete_endpoint_config = configs.delete_endpoint_config
        endpoints = Endpoints(premises, store, configs, provisioner, fleets)
        self.create_endpoint = endpoints.create_endpoint
        self.update_endpoint = endpoints.update_endpoint
        self.update_endpoint_weights_and_capacities = (
            endpoints.update_endpoint_weights_and_capacities
        )
        self.describe_endpoint = endpoints.describe_endpoint
        self.list_endpoints = endpoints.list_endpoints
        self.delete_endpoint = endpoints.delete_endpoint
        self.invoke_endpoint = Invocations(store, provisioner, fleets).invoke_endpoint

    def start_endpoints(self) -> None:
        """Bring up, in the background, what is to answer while this process lives."""
        for endpoint in self._store.every():
            self._provisioner.attend(endpoint)
            if endpoint.live is not None:
                threading.Thread(target=self._start, args=(endpoint,), daemon=True).start()

    def wait(self, endpoint: str) -> None:
        """Wait until this process has carried out an endpoint's change."""
        self._provisioner.wait(endpoint)

    def close(self) -> None:
        """Stop every fleet after its requests."""
        self._provisioner.close()
        self._fleets.stop()

    def _start(self, endpoint: Endpoint) -> None:
        with suppress(FleetError):  # whoever invokes it is told
            self._fleets.of(endpoint)
