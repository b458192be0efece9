"""What the classes of operations are built from: a field of a class names an attribute here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.backends.local.engine.engine import Engine
from pipelines.backends.local.engine.parts import EngineParts, Token
from pipelines.backends.local.jobs.service import JobService
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.definitions import refuse_definition
from pipelines.backends.local.operations.operation import OtherOperations

if TYPE_CHECKING:
    from pipelines.backends.local.hosting.asynchronous import AsynchronousRequests
    from pipelines.backends.local.hosting.provisioner import Provisioner, ServedEndpoints


def _nothing(_execution: str) -> None:
    """Leave a started execution to whoever calls `LocalSageMaker.run`."""


class Provided:
    """The parts of one `LocalSageMaker` that operations work on; its table adds itself.

    Args:
        context: the state, the account and the time.
        objects: the object store.
        engine: runs executions.
        jobs: runs jobs.
        parts: executors, step Types, time and randomness.
    """

    operations: OtherOperations

    def __init__(
        self,
        context: OperationContext,
        objects: ObjectStore,
        engine: Engine,
        jobs: JobService,
        parts: EngineParts,
    ) -> None:
        self.context = context
        self.objects = objects
        self.engine = engine
        self.jobs = jobs
        self.token: Token = parts.token
        self.home: Path = context.settings.home
        self.runner: Callable[[str], None] = _nothing
        self.check_definition = parts.check_definition or refuse_definition
        self.rule_targets: dict[str, tuple[str, ...]] = {}
        self._start_fleet = parts.start_fleet
        self._provisioner: Provisioner | None = None
        self._asynchronous: AsynchronousRequests | None = None
        self._guard = threading.Lock()

    def run_started(self, execution: str) -> None:
        """Let the runner, if there is one, run an execution that has been started."""
        self.runner(execution)

    @property
    def provisioner(self) -> Provisioner:
        """What carries out the changes of endpoints; made, and imported, on first use."""
        from pipelines.backends.local.operations.hosting import provisioner  # noqa: PLC0415 - most commands do not need it

        with self._guard:
            if self._provisioner is None:
                self._provisioner = provisioner(self.context, self.objects, self._start_fleet)
            return self._provisioner

    @property
    def asynchronous(self) -> AsynchronousRequests:
        """The asynchronous requests that wait or are processed; imported on first use."""
        from pipelines.backends.local.hosting.asynchronous import AsynchronousRequests  # noqa: PLC0415 - as above

        with self._guard:
            if self._asynchronous is None:
                self._asynchronous = AsynchronousRequests(self.objects, self.context.now)
            return self._asynchronous

    @property
    def served(self) -> ServedEndpoints:
        """The fleets that run."""
        return self.provisioner.served

    def close(self) -> None:
        """Stop what this process serves."""
        if self._asynchronous is not None:
            self._asynchronous.close()
        if self._provisioner is not None:
            self._provisioner.close()
