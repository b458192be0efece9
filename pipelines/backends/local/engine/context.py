"""One execution with everything that its steps need, and the options of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.backends.local.engine.folders import execution_folder
from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.engine.resolution import ReferenceScope, resolve
from pipelines.backends.local.executors.contract import ExecutionInfo, ModelRegistry
from pipelines.backends.local.executors.stub import Stub
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.settings import LocalApi, LocalSettings
from pipelines.backends.local.state.executions import ExecutionRecord, ExecutionStore
from pipelines.execution.events import Observer, unobserved
from pipelines.execution.schedule import Schedule
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.service import JobService
    from pipelines.backends.local.simulations.reading import Simulated


@frozen
class RunOptions:
    """How to run an execution.

    Args:
        observer: called with each event.
        max_parallel: how many steps run at the same time; None uses the execution's or the
            pipeline's `ParallelismConfiguration`, else the number of processors.
        stubs: step name → JSON file that stands in for its executor.
        cache: False runs every step, whatever its CacheConfig says.
        api: the API that the jobs call; None uses that of the settings.
        lent: step name → file with the modules that its job may import; all where none is named.
        simulations: what happens as in an account, as `--simulate` names it.
    """

    observer: Observer = unobserved
    max_parallel: int | None = None
    stubs: Mapping[str, Path] = field(default_factory=dict)
    cache: bool = True
    api: LocalApi | None = None
    lent: Mapping[str, Path] = field(default_factory=dict)
    simulations: tuple[str, ...] = ()


@frozen
class ExecutionContext:
    """One execution and everything that its steps need.

    Args:
        execution: the execution.
        definition: its definition, cut down by selective execution.
        settings: how this machine stands in for SageMaker.
        store: where executions and steps are recorded.
        objects: the object store.
        registry: the model registry.
        jobs: the job service.
        parts: executors, step Types, time and randomness.
        stubs: the stubs of this run, read and checked.
        caching: whether results may be reused from the cache.
        lent: step name → file with the modules that its job may import.
        simulated: step name → what is simulated in its jobs.
    """

    execution: ExecutionRecord
    definition: Schedule
    settings: LocalSettings
    store: ExecutionStore
    objects: ObjectStore
    registry: ModelRegistry
    jobs: JobService
    parts: EngineParts
    stubs: Mapping[str, Stub]
    caching: bool
    lent: Mapping[str, Path] = field(default_factory=dict)
    simulated: Mapping[str, Simulated] = field(default_factory=dict)

    @property
    def info(self) -> ExecutionInfo:
        """The execution as executors see it."""
        record = self.execution
        return ExecutionInfo(record.id, record.arn, record.pipeline, record.created)

    @property
    def folder(self) -> Path:
        """The folder of the execution's definition, lock and logs."""
        return execution_folder(self.settings.home, self.execution.id)

    def scope(self, properties: Mapping[str, JsonObject], job_name: str) -> ReferenceScope:
        """Return what the references of a step can see, with the name of its job."""
        steps = {name: node.step for name, node in self.definition.steps.items()}
        bare = ReferenceScope(
            self.execution.parameters,
            self._variables(job_name),
            {},
            properties,
            steps,
            self.objects,
        )
        return ReferenceScope(
            bare.parameters, bare.execution, self._experiment(bare), properties, steps, self.objects
        )

    def _variables(self, job_name: str) -> dict[str, Callable[[], str]]:
        record = self.execution
        return {
            "StartDateTime": lambda: _iso(record.created),
            "CurrentDateTime": lambda: _iso(self.parts.clock.now()),
            "PipelineName": lambda: record.pipeline,
            "PipelineArn": lambda: record.arn.partition("/execution/")[0],
            "PipelineExecutionId": lambda: record.id,
            "PipelineExecutionArn": lambda: record.arn,
            "TrainingJobName": lambda: job_name,
            "ProcessingJobName": lambda: job_name,
        }

    def _experiment(self, scope: ReferenceScope) -> dict[str, Json]:
        default = {"ExperimentName": self.execution.pipeline, "TrialName": self.execution.id}
        given = self.definition.document.get("PipelineExperimentConfig") or {}
        return {**default, **resolve(given, scope)}


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
