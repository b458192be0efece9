"""The local SageMaker as one object: boto3's operations, and `run` to execute.

`LocalSageMaker(settings).start_pipeline_execution(…)` records an execution as the service would;
`run` executes it in this process. Several processes may use one `.pipelines` folder at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.engine.engine import Engine
from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.executors.contract import LocalSettings
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.operations.context import Operation, OperationContext
from pipelines.backends.local.operations.executions import ExecutionOperations
from pipelines.backends.local.operations.jobs import JobOperations
from pipelines.backends.local.operations.model_packages import ModelPackageOperations
from pipelines.backends.local.operations.models import ModelOperations
from pipelines.backends.local.operations.pipelines import PipelineOperations
from pipelines.backends.local.operations.tags import TagOperations
from pipelines.backends.local.state.executions import ExecutionRecord
from pipelines.backends.local.state.local_state import LocalState
from pipelines.execution.status import ExecutionStatus

if TYPE_CHECKING:
    from pipelines.backends.local.executors.contract import StepCall
    from pipelines.backends.local.operations.hosting import EndpointHosting

_DEFAULTS = RunOptions()
_HOSTED = "endpoint"
"""Operations with this in their name are imported only when one is called."""


class LocalSageMaker:
    """SageMaker on this machine.

    Every operation is a method with its name in boto3: requests are keyword arguments and
    responses dicts, with timezone-aware datetimes; client request tokens may be omitted. What the
    service would refuse raises `ServiceError` with the service's code. List operations return at
    most 100 items and a NextToken.

    Args:
        settings: how this machine stands in for SageMaker.
        parts: executors, step Types, time and randomness, for tests and extensions.
        state: the state, if the caller opened it; it is closed with this object.
    """

    def __init__(
        self,
        settings: LocalSettings,
        parts: EngineParts | None = None,
        state: LocalState | None = None,
    ) -> None:
        self._parts = parts = parts or EngineParts()
        self.settings = settings
        self.objects = ObjectStore(settings.home / "s3")
        self._state = state or LocalState(settings.home)
        self._context = context = OperationContext(self._state, settings, parts.clock.now)
        packages = ModelPackageOperations(context, self.objects)
        self._engine = Engine(settings, self._state.executions, self.objects, packages, parts)
        self._operations: tuple[object, ...] = (
            PipelineOperations(context, self.objects),
            ExecutionOperations(context, self._engine, parts.token),
            JobOperations(context),
            packages,
            ModelOperations(context),
            TagOperations(context),
        )
        self._hosting: EndpointHosting | None = None
        self._guard = threading.Lock()

    def __getattr__(self, name: str) -> Operation:
        """Return the operation of that name."""
        groups = self._host_endpoints().operations if _HOSTED in name else self._operations
        for group in groups if not name.startswith("_") else ():
            operation: Operation | None = getattr(group, name, None)
            if operation is not None:
                return operation
        raise AttributeError(f"LocalSageMaker has no operation `{name}`")

    def run(self, execution: str, options: RunOptions = _DEFAULTS) -> ExecutionStatus:
        """Run a started execution, given by ARN or id, to its end in this process.

        Raises:
            UsageError: it has ended, or another process is running it.
        """
        return self._engine.run(self._engine.find(execution).id, options)

    def resume(self, execution: str, options: RunOptions = _DEFAULTS) -> ExecutionStatus:
        """Resume an execution that died, was stopped or failed; what succeeded stays.

        Raises:
            UsageError: another process is running it, it succeeded, or its Fail step ended it.
        """
        return self._engine.resume(self._engine.find(execution).id, options)

    def step_call(
        self, record: ExecutionRecord, step: str, source: str | None, options: RunOptions
    ) -> StepCall:
        """Return the call of one step outside any execution: see `Engine.step_call`."""
        return self._engine.step_call(record, step, source, options)

    def request_stop(self, execution: str) -> None:
        """Stop an execution that `run` executes in this process; signal handlers may call this.

        Args:
            execution: its ARN or id.
        """
        self._engine.request_stop(execution.rpartition("/")[2])

    def can_resume(self, execution: str) -> bool:
        """Return whether `resume` would resume an execution."""
        record = self._engine.find(execution)
        return not self._engine.is_running(record.id) and self._engine.refusal(record) is None

    def damage(self, execution: str, steps: Iterable[str]) -> str | None:
        """Return why results of an execution cannot be used again; None where they can.

        Args:
            execution: its ARN or id.
            steps: names of steps that succeeded in it.
        """
        return self._engine.damage(execution, steps)

    def is_interrupted(self, execution: str) -> bool:
        """Return whether an execution has not ended and no process runs it: it can be resumed."""
        record = self._engine.find(execution)
        open_ = record.status in (ExecutionStatus.EXECUTING, ExecutionStatus.STOPPING)
        return open_ and not self._engine.is_running(record.id)

    def start_endpoints(self) -> None:
        """Start serving, in the background, every endpoint that is in service."""
        self._host_endpoints().provisioner.start_all()

    def close(self) -> None:
        """Stop what this process serves and close the state."""
        if self._hosting is not None:
            self._hosting.provisioner.close()
        self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _host_endpoints(self) -> EndpointHosting:
        from pipelines.backends.local.operations.hosting import host_endpoints  # noqa: PLC0415 - most commands do not need it

        with self._guard:
            if self._hosting is None:
                start = self._parts.start_fleet
                self._hosting = host_endpoints(self._context, self.objects, start)
            return self._hosting
