"""What carries out the changes of endpoints, wired to the processes that serve them."""

from __future__ import annotations

from functools import partial

from pipelines.backends.local.hosting.provisioner import (
    Provisioner,
    RunningFleet,
    ServedEndpoints,
    StartFleet,
)
from pipelines.backends.local.hosting.values import FleetSpec
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.operations.context import OperationContext


def provisioner(
    context: OperationContext, objects: ObjectStore, start: StartFleet | None = None
) -> Provisioner:
    """Wire a provisioner.

    Args:
        context: state, account and time.
        objects: where models are.
        start: starts a fleet, instead of `Fleet.start`.
    """

    def start_fleet(spec: FleetSpec, *, proven: bool) -> RunningFleet:
        from pipelines.backends.local.hosting.fleet import Fleet  # noqa: PLC0415 - imports what runs jobs
        from pipelines.backends.local.hosting.multi_model import (  # noqa: PLC0415 - as above
            MultiModelFleet,
            is_multi_model,
        )

        if is_multi_model(spec):
            start_one = partial(Fleet.start, settings=context.settings, objects=objects)
            return MultiModelFleet(spec, objects, start_one)
        return Fleet.start(spec, context.settings, objects, proven=proven)

    served = ServedEndpoints(start or start_fleet, context.settings.home / "endpoints")
    return Provisioner(context, served)
