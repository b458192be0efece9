"""The operations on endpoints, wired to the processes that serve them; imported on first use."""

from __future__ import annotations

from pipelines.backends.local.hosting.provisioner import (
    Provisioner,
    RunningFleet,
    ServedEndpoints,
    StartFleet,
)
from pipelines.backends.local.hosting.values import FleetSpec
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.endpoint_configs import EndpointConfigOperations
from pipelines.backends.local.operations.endpoints import EndpointOperations
from pipelines.backends.local.operations.invocations import InvocationOperations
from pipelines.frozen import frozen


@frozen
class EndpointHosting:
    """What serves the endpoints of one `LocalSageMaker`.

    Args:
        provisioner: carries their changes out.
        operations: the groups of operations.
    """

    provisioner: Provisioner
    operations: tuple[object, ...]


def host_endpoints(
    context: OperationContext, objects: ObjectStore, start: StartFleet | None = None
) -> EndpointHosting:
    """Wire the operations on endpoints.

    Args:
        context: state, account and time.
        objects: where models are.
        start: starts a fleet, instead of `Fleet.start`.
    """

    def start_fleet(spec: FleetSpec, *, proven: bool) -> RunningFleet:
        from pipelines.backends.local.hosting.fleet import Fleet  # noqa: PLC0415 - imports what runs jobs

        return Fleet.start(spec, context.settings, objects, proven=proven)

    served = ServedEndpoints(start or start_fleet, context.settings.home / "endpoints")
    provisioner = Provisioner(context, served)
    return EndpointHosting(
        provisioner,
        (
            EndpointConfigOperations(context),
            EndpointOperations(context, provisioner, served),
            InvocationOperations(context, provisioner, served),
        ),
    )
