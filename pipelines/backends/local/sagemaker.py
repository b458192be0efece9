"""The local SageMaker as one object: boto3's operations, and `run` to execute.

`LocalSageMaker(settings).start_pipeline_execution(…)` records an execution as the service would;
`run` executes it in this process. Several processes may use one `.pipelines` folder at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Self

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.engine.engine import Engine, EngineServices
from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.jobs.service import JobService
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.model_packages import ModelPackageOperations
from pipelines.backends.local.operations.provided import Provided
from pipelines.backends.local.operations.table import OperationTable
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.state.executions import ExecutionRecord
from pipelines.backends.local.state.local_state import LocalState
from pipelines.execution.status import ExecutionStatus
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from pipelines.backends.local.executors.contract import StepCall

_DEFAULTS = RunOptions()


class LocalSageMaker:
    """SageMaker on this machine.

    Every operation is a method with its name in boto3: requests are keyword arguments and
    responses dicts, with timezone-aware datetimes; client request tokens may be omitted, as in
    boto3. What the service would refuse raises `ServiceError` with the service's code. List
    operations return at most 100 items and a NextToken.

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
        parts = parts or EngineParts()
        self.settings = settings
        self.objects = ObjectStore(settings.home / "s3")
        self._state = state or LocalState(settings.home)
        self.changes = self._state.changes
        context = OperationContext(self._state, settings, parts.clock.now)
        packages = ModelPackageOperations(context, self.objects)
        self.jobs = JobService(context)
        services = EngineServices(packages, self.jobs)
        self._engine = Engine(settings, self._state.executions, self.objects, services, parts)
        self._provided = Provided(context, self.objects, self._engine, self.jobs, parts)
        self.operations = OperationTable(self._provided)

    def __getattr__(self, name: str) -> Callable[..., JsonObject]:
        """Return the operation of that name, called as boto3 calls it: with a token of its own."""
        operation = None if name.startswith("_") else self.operations.method(name)
        if operation is None:
            raise AttributeError(f"LocalSageMaker has no operation `{name}`")
        token = operation.request.token if operation.request else None
        if token is None:
            return operation
        return lambda **request: operation(**{token: str(uuid.uuid4()), **request})

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
        """Stop an execution that `run` executes in this process.

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

    def unwritten(self, execution: str) -> Iterator[tuple[str, str, str]]:
        """Yield step, output and, in words, what a step that succeeded has not written of it.

        Args:
            execution: its ARN or id.
        """
        return self._engine.unwritten(execution)

    def is_interrupted(self, execution: str) -> bool:
        """Return whether an execution has not ended and no process runs it: it can be resumed."""
        record = self._engine.find(execution)
        open_ = record.status in (ExecutionStatus.EXECUTING, ExecutionStatus.STOPPING)
        return open_ and not self._engine.is_running(record.id)

    def run_started_by(self, runner: Callable[[str], None]) -> None:
        """Let a runner run the executions that are started or retried from now on."""
        self._provided.runner = runner

    def answer_for_rules(self, targets: Mapping[str, tuple[str, ...]]) -> None:
        """Let EventBridge's operations know the rules of a server: their targets' ARNs by name."""
        self._provided.rule_targets.update(targets)

    def start_endpoints(self) -> None:
        """Start serving, in the background, every endpoint that is in service."""
        self._provided.provisioner.start_all()

    def close(self) -> None:
        """Stop what this process runs and serves, and close the state."""
        self.jobs.close()
        self._provided.close()
        self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
