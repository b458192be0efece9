"""The local SageMaker as one object: boto3's operations, and `run` to execute.

`LocalSageMaker(settings).start_pipeline_execution(…)` records an execution as the service would;
`run` executes it in this process. Several processes may use one `.pipelines` folder at once.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

from pipelines.backends.local.engine.context import Parts, RunOptions
from pipelines.backends.local.engine.engine import Engine
from pipelines.backends.local.execution_views import ExecutionViews
from pipelines.backends.local.executions import Executions
from pipelines.backends.local.executors.contract import LocalSettings
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.pipelines import Pipelines
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.registry.registry import LocalRegistry
from pipelines.backends.local.state.database import Database
from pipelines.backends.local.state.execution_store import ExecutionStore
from pipelines.execution.status import ExecutionStatus

if TYPE_CHECKING:
    from pipelines.backends.local.hosting.hosting import Hosting

_DEFAULTS = RunOptions()
_HOSTED = (
    "create_endpoint_config",
    "describe_endpoint_config",
    "list_endpoint_configs",
    "delete_endpoint_config",
    "create_endpoint",
    "update_endpoint",
    "update_endpoint_weights_and_capacities",
    "describe_endpoint",
    "list_endpoints",
    "delete_endpoint",
    "invoke_endpoint",
    "start_endpoints",
)


class LocalSageMaker(LocalRegistry):
    """SageMaker on this machine.

    Requests are boto3's keyword arguments and responses its dicts, with timezone-aware datetimes;
    client request tokens may be left out. What the service would refuse raises `ServiceError`
    with the service's code. List operations give at most 100 items and a NextToken.

    Args:
        settings: how this machine plays SageMaker.
        parts: executors, step Types, time and randomness, for tests and extensions.
        database: the state, where the caller opened it; it is closed with this object.
    """

    def __init__(
        self, settings: LocalSettings, parts: Parts | None = None, database: Database | None = None
    ) -> None:
        parts = parts or Parts()
        self.settings = settings
        self.objects = ObjectStore(settings.home / "s3")
        self._database = database or Database(settings.home)
        premises = self._premises = Premises(self._database, settings, parts.clock.now)
        super().__init__(premises)
        self._guard = threading.Lock()
        self._hosting: Hosting | None = None
        self._store = ExecutionStore(self._database)
        self._engine = Engine(settings, self._store, self.objects, LocalRegistry(premises), parts)
        pipelines = Pipelines(premises, self.objects)
        self.create_pipeline = pipelines.create_pipeline
        self.update_pipeline = pipelines.update_pipeline
        self.describe_pipeline = pipelines.describe_pipeline
        self.list_pipelines = pipelines.list_pipelines
        self.list_pipeline_versions = pipelines.list_pipeline_versions
        self.delete_pipeline = pipelines.delete_pipeline
        executions = Executions(premises, self._store, pipelines, self._engine, parts.token)
        self.start_pipeline_execution = executions.start_pipeline_execution
        self.stop_pipeline_execution = executions.stop_pipeline_execution
        self.retry_pipeline_execution = executions.retry_pipeline_execution
        views = ExecutionViews(self._store, pipelines, self._engine)
        self.describe_pipeline_execution = views.describe_pipeline_execution
        self.list_pipeline_executions = views.list_pipeline_executions
        self.list_pipeline_execution_steps = views.list_pipeline_execution_steps
        self.list_pipeline_parameters_for_execution = views.list_pipeline_parameters_for_execution
        self.describe_pipeline_definition_for_execution = (
            views.describe_pipeline_definition_for_execution
        )

    def run(self, execution: str, options: RunOptions = _DEFAULTS) -> ExecutionStatus:
        """Run a started execution, given by ARN or id, to its end in this process.

        Raises:
            UsageError: it has ended, or another process is running it.
        """
        return self._engine.run(self._engine.find(execution).id, options)

    def resume(self, execution: str, options: RunOptions = _DEFAULTS) -> ExecutionStatus:
        """Go on with an execution that died, was stopped or failed; what succeeded stays.

        Raises:
            UsageError: another process is running it, it succeeded, or its Fail step ended it.
        """
        return self._engine.resume(self._engine.find(execution).id, options)

    def request_stop(self, execution: str) -> None:
        """Stop an execution that `run` executes in this process; signal handlers may call this.

        Args:
            execution: its ARN or id.
        """
        self._engine.request_stop(execution.rpartition("/")[2])

    def can_resume(self, execution: str) -> bool:
        """Say whether `resume` would go on with an execution."""
        record = self._engine.find(execution)
        return not self._engine.is_running(record.id) and self._engine.refusal(record) is None

    def is_interrupted(self, execution: str) -> bool:
        """Say whether an execution has not ended and no process runs it: it can be resumed."""
        record = self._engine.find(execution)
        open_ = record.status in (ExecutionStatus.EXECUTING, ExecutionStatus.STOPPING)
        return open_ and not self._engine.is_running(record.id)

    def close(self) -> None:
        """Stop what this process serves and close the state."""
        if self._hosting is not None:
            self._hosting.close()
        self._database.close()

    def _hosted(self) -> Hosting:
        from pipelines.backends.local.hosting.hosting import Hosting  # noqa: PLC0415 - most commands have no use for it

        with self._guard:
            if self._hosting is None:
                self._hosting = Hosting(self._premises, self.objects)
            return self._hosting

    def __getattr__(self, name: str) -> Any:
        """Find the operations on endpoint configs and endpoints, imported when one is called."""
        if name not in _HOSTED:
            raise AttributeError(f"LocalSageMaker has no `{name}`")
        return getattr(self._hosted(), name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
