"""What one execution is run with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import steptypes
from pipelines.backends.local.engine.clock import Clock, SystemClock
from pipelines.backends.local.engine.identifiers import Token, random_token
from pipelines.backends.local.engine.lookup import Executors, StepTypes, find_executor
from pipelines.backends.local.engine.resolution import Scope, resolve
from pipelines.backends.local.executors.contract import ExecutionInfo, LocalSettings, ModelRegistry
from pipelines.backends.local.executors.stub import Stub
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.state.execution_store import ExecutionStore
from pipelines.backends.local.state.records import ExecutionRecord
from pipelines.execution.events import Observer, unobserved
from pipelines.execution.schedule import Schedule
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

if TYPE_CHECKING:
    from pipelines.backends.local.hosting.provisioner import StartFleet

JOB_FILE = "job"
"""Beside the logs of an attempt: the name of its job."""


@frozen
class Parts:
    """What a test, or somebody's extension, may replace.

    Args:
        executors: Type → executor.
        step_types: Type → what is known about it.
        clock: time.
        token: randomness.
        start_fleet: starts the model servers of an endpoint's variant; None for real ones.
    """

    executors: Executors = find_executor
    step_types: StepTypes = steptypes.find
    clock: Clock = field(default_factory=SystemClock)
    token: Token = random_token
    start_fleet: StartFleet | None = None

    def is_terminal(self, type_name: str) -> bool:
        """Return whether a step of that Type ends the execution."""
        step_type = self.step_types(type_name)
        return step_type is not None and step_type.terminal


@frozen
class RunOptions:
    """How to run an execution.

    Args:
        observer: told what happens.
        max_parallel: how many steps run at the same time; None takes what the execution or the
            pipeline was given (`ParallelismConfiguration`), else the number of processors.
        stubs: step name → JSON file that answers instead of its executor.
        cache: `off` runs every step, whatever its CacheConfig says.
        endpoint_url: the API that the jobs call; None takes that of the settings.
    """

    observer: Observer = unobserved
    max_parallel: int | None = None
    stubs: Mapping[str, Path] = field(default_factory=dict)
    cache: bool = True
    endpoint_url: str | None = None


@frozen
class Context:
    """One execution and everything that its steps need.

    Args:
        execution: the execution.
        definition: its definition, cut down by selective execution.
        settings: how this machine plays SageMaker.
        store: where executions and steps are recorded.
        objects: the object store.
        registry: the model registry.
        parts: executors, step Types, time and randomness.
        stubs: the stubs of this run, read and checked.
        caching: whether results may be taken from the cache.
    """

    execution: ExecutionRecord
    definition: Schedule
    settings: LocalSettings
    store: ExecutionStore
    objects: ObjectStore
    registry: ModelRegistry
    parts: Parts
    stubs: Mapping[str, Stub]
    caching: bool

    @property
    def info(self) -> ExecutionInfo:
        """The execution as executors see it."""
        record = self.execution
        return ExecutionInfo(record.id, record.arn, record.pipeline, record.created)

    @property
    def folder(self) -> Path:
        """Where the execution keeps its definition, its lock and its logs."""
        return execution_folder(self.settings.home, self.execution.id)

    def scope(self, properties: Mapping[str, JsonObject], job_name: str) -> Scope:
        """Build what the references of a step can see, with the name of its job."""
        steps = {name: node.step for name, node in self.definition.nodes.items()}
        bare = Scope(
            self.execution.parameters,
            self._variables(job_name),
            {},
            properties,
            steps,
            self.objects,
        )
        return Scope(
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

    def _experiment(self, scope: Scope) -> dict[str, Json]:
        default = {"ExperimentName": self.execution.pipeline, "TrialName": self.execution.id}
        given = self.definition.document.get("PipelineExperimentConfig") or {}
        return {**default, **resolve(given, scope)}


def execution_folder(home: Path, execution: str) -> Path:
    """Say where an execution keeps its files."""
    return home / "executions" / execution


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
