"""A registered version, pending or not → its response to one request, with no endpoint."""

from __future__ import annotations

from pathlib import Path

from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.values import FleetSpec, Invocation, InvocationResponse
from pipelines.backends.local.hosting.variants import package_container
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.state.local_state import LocalState


def log_of(settings: LocalSettings, package: str) -> Path:
    """Return the log of a version's model server: beside those of endpoints."""
    group, number = package.rsplit("/", 2)[1:]
    return settings.home / "endpoints" / f"{group}-{number}.version" / "invoke.log"


def invoke_version(
    settings: LocalSettings, objects: ObjectStore, package: str, invocation: Invocation
) -> InvocationResponse:
    """Start a model server for one request, with a version's own archive and environment.

    Args:
        settings: how this machine stands in for SageMaker.
        objects: where the archive is.
        package: the ARN of the version.
        invocation: the request.

    Returns:
        The response; its `cold_start_seconds` is how long the server took to start.

    Raises:
        FleetError: the model does not load or does not respond, or it cannot be served locally.
    """
    with LocalState(settings.home) as state:
        container = package_container(state, package, {})
    log = log_of(settings, package)
    spec = FleetSpec("/".join(package.rsplit("/", 2)[1:]), container, 1, True, log)  # noqa: FBT003 - as FleetSpec says
    fleet = Fleet.start(spec, settings, objects, proven=True)
    try:
        return fleet.invoke(invocation)
    finally:
        fleet.stop()
