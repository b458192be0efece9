"""Runs recorded executions: one at a time per execution, several at once per folder."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.backends.local.engine.context import ExecutionContext, RunOptions
from pipelines.backends.local.engine.folders import execution_folder
from pipelines.backends.local.engine.outputs import damage, unwritten
from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.engine.scheduler import Scheduler, SchedulerInbox, StopRequest
from pipelines.backends.local.engine.step_runner import StepRunner
from pipelines.backends.local.errors import ServiceError, invalid, missing
from pipelines.backends.local.executors.contract import ModelRegistry, StepCall
from pipelines.backends.local.executors.stub import Stub, read_stub
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.state.executions import ExecutionRecord, ExecutionStore, StepRecord
from pipelines.backends.local.state.locks import is_running, running
from pipelines.errors import UsageError
from pipelines.execution.schedule import Schedule, read_schedule
from pipelines.execution.selection import select
from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import Json

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.service import JobService
    from pipelines.backends.local.simulations.reading import Simulated

_OPEN = frozenset({ExecutionStatus.EXECUTING, ExecutionStatus.STOPPING})
_RETRIABLE = frozenset({ExecutionStatus.FAILED, ExecutionStatus.STOPPED})


@frozen
class EngineServices:
    """What executors work with beside the objects.

    Args:
        registry: the model registry.
        jobs: the job service.
    """

    registry: ModelRegistry
    jobs: JobService


class Engine:
    """Runs the executions that the state has recorded as started.

    Args:
        settings: how this machine stands in for SageMaker.
        store: executions and their steps.
        objects: the object store.
        services: the model registry and the job service, for executors.
        parts: executors, step Types, time and randomness.
    """

    def __init__(
        self,
        settings: LocalSettings,
        store: ExecutionStore,
        objects: ObjectStore,
        services: EngineServices,
        parts: EngineParts,
    ) -> None:
        self._settings = settings
        self._store = store
        self._objects = objects
        self._services = services
        self._parts = parts
        self._inboxes: dict[str, SchedulerInbox] = {}

    def run(self, execution: str, options: RunOptions) -> ExecutionStatus:
        """Run an execution that was started, or that a dead process left behind, to its end.

        Raises:
            UsageError: it has ended, or another process is running it.
            ServiceError: ResourceNotFound.
        """
        with self._held(self.find(execution).id) as inbox:
            record = self.find(execution)
            if record.status not in _OPEN:
                raise UsageError(
                    f"execution {execution} has ended: {record.status}",
                    "start a new one, or resume it if it failed",
                )
            return self._schedule(record, options, inbox)

    def resume(self, execution: str, options: RunOptions) -> ExecutionStatus:
        """Resume an execution that died, was stopped or failed; what succeeded stays.

        Raises:
            UsageError: another process is running it, it succeeded, or its Fail step ended it.
            ServiceError: ResourceNotFound.
        """
        with self._held(self.find(execution).id) as inbox:
            self.reopen(self.find(execution))
            return self._schedule(self.find(execution), options, inbox)

    def reopen(self, record: ExecutionRecord) -> None:
        """Set an execution that failed or was stopped to Executing.

        Raises:
            ServiceError: ValidationException: it cannot be resumed.
        """
        refusal = self.refusal(record)
        if refusal is not None:
            raise refusal
        self._store.move(record.id, ExecutionStatus.EXECUTING, self._parts.clock.now())

    def refusal(self, record: ExecutionRecord) -> ServiceError | None:
        """Return why an execution that no process runs cannot be resumed; None when it can."""
        if record.status not in _OPEN | _RETRIABLE:
            return invalid(f"execution {record.id} has ended: {record.status}")
        for step in self._store.steps(record.id):
            if self._parts.is_terminal(step.type) and step.status is StepStatus.FAILED:
                return invalid(
                    f"execution {record.id} was ended by its {step.type} step `{step.name}`",
                    f"start a new execution: one that a {step.type} step ended stays failed",
                )
        return None

    def request_stop(self, execution: str) -> None:
        """Stop an execution that runs in this process; any thread may call this."""
        inbox = self._inboxes.get(execution)
        if inbox is not None:
            inbox.put(StopRequest())

    def is_running(self, execution: str) -> bool:
        """Return whether a live process runs an execution."""
        return is_running(execution_folder(self._settings.home, execution))

    def find(self, arn_or_id: str) -> ExecutionRecord:
        """Find an execution.

        Raises:
            ServiceError: ResourceNotFound.
        """
        record = self._store.find(arn_or_id)
        if record is None:
            raise missing(f"Pipeline execution '{arn_or_id}' does not exist.")
        return record

    @contextmanager
    def _held(self, execution: str) -> Iterator[SchedulerInbox]:
        """Hold the execution's lock, with an inbox for stop requests."""
        with running(execution_folder(self._settings.home, execution), execution):
            inbox: SchedulerInbox = queue.SimpleQueue()
            self._inboxes[execution] = inbox
            try:
                yield inbox
            finally:
                del self._inboxes[execution]

    def step_call(
        self, record: ExecutionRecord, step: str, source: str | None, options: RunOptions
    ) -> StepCall:
        """Return the call of one step outside any execution; nothing is recorded of it.

        Args:
            record: an execution that need not be recorded: its definition and its parameters.
            step: the step's name.
            source: the execution whose results the step reads; None where it reads none.
            options: the API that the job calls.

        Raises:
            PipelinesError: its arguments cannot be resolved, or the service would refuse them.
        """
        definition = read_schedule(record.definition)
        context = self._context(record, definition, options)
        ended = {} if source is None else self._results(source)
        properties = {name: one.properties for name, one in ended.items()}
        runner = StepRunner(context, properties, ended, lambda _event: None)
        job = f"{record.id}-{step.replace('_', '-')}"
        call = runner.call(definition.steps[step], job, context.folder, threading.Event())
        runner.refuse_empty_inputs(definition.steps[step], call.arguments)
        return call

    def _schedule(
        self, record: ExecutionRecord, options: RunOptions, inbox: SchedulerInbox
    ) -> ExecutionStatus:
        definition = self._selected(record, read_schedule(record.definition))
        context = self._context(record, definition, options)
        return Scheduler(context, options.observer, inbox, _parallel(record, options)).run()

    def _context(
        self, record: ExecutionRecord, definition: Schedule, options: RunOptions
    ) -> ExecutionContext:
        settings = self._settings
        if options.api is not None:
            settings = replace(settings, api=options.api)
        return ExecutionContext(
            execution=record,
            definition=definition,
            settings=settings,
            store=self._store,
            objects=self._objects,
            registry=self._services.registry,
            jobs=self._services.jobs,
            parts=self._parts,
            stubs=_stubs(options.stubs, definition),
            caching=options.cache,
            lent=options.lent,
            simulated=_simulated(options, definition, record.parameters),
        )

    def _selected(self, record: ExecutionRecord, definition: Schedule) -> Schedule:
        """Reduce a definition to `SelectedSteps` and record the results that are reused."""
        config = record.request.get("SelectiveExecutionConfig")
        if not config:
            return definition
        source = config.get("SourcePipelineExecutionArn")
        results = {} if source is None else self._results(source)
        names = [item["StepName"] for item in config["SelectedSteps"]]
        selection = select(definition, names, results.keys())
        recorded = {step.name for step in self._store.steps(record.id)}
        for name in sorted(selection.reused - recorded):
            self._store.save_step(
                replace(
                    results[name],
                    execution=record.id,
                    attempts=0,
                    cached_from=None,
                    reused_from=source,
                )
            )
        return selection.definition

    def _results(self, arn: str) -> dict[str, StepRecord]:
        """Return the steps that succeeded in an execution, by name."""
        steps = self._store.steps(self.find(arn).id)
        return {step.name: step for step in steps if step.status is StepStatus.SUCCEEDED}

    def unwritten(self, arn: str) -> Iterator[tuple[str, str, str]]:
        """Yield what the steps of an execution declare and have not written."""
        written = read_schedule(self.find(arn).definition).steps
        for name, step in self._results(arn).items():
            known = self._parts.step_types(step.type) if name in written else None
            for output, words in unwritten(step, written[name].step, known) if known else ():
                yield name, output, words

    def damage(self, arn: str, steps: Iterable[str]) -> str | None:
        """Return why results of an execution cannot be used again; None where they can."""
        results = self._results(arn)
        problems = (damage(self._objects, results[step].outputs) for step in sorted(steps))
        return next((problem for problem in problems if problem is not None), None)


def check_stubs(
    stubs: Mapping[str, Path], definition: str, selected: Collection[str] | None = None
) -> None:
    """Read stubs before an execution is started for them.

    Raises:
        UsageError: one cannot be read, or is for something that is not a step, or for one that
            is not selected.
    """
    if stubs:
        _stubs(stubs, read_schedule(definition))
    for name in stubs:
        if selected is not None and name not in selected:
            raise UsageError(
                f"there is a stub for `{name}`, which is not selected: it does not run",
                f"remove `--stub {name}=…`, or select `{name}` too",
            )


def _stubs(stubs: Mapping[str, Path], definition: Schedule) -> dict[str, Stub]:
    for name in stubs:
        if name not in definition.steps:
            known = ", ".join(f"`{node}`" for node in definition.steps)
            raise UsageError(
                f"there is a stub for `{name}`, which is not a step", f"the steps are {known}"
            )
    return {name: read_stub(path) for name, path in stubs.items()}


def _simulated(
    options: RunOptions, definition: Schedule, parameters: Mapping[str, Json]
) -> dict[str, Simulated]:
    if not options.simulations:
        return {}
    from pipelines.backends.local.simulations.reading import simulated_in  # noqa: PLC0415 - seldom

    return simulated_in(definition.steps, parameters, options.simulations)


def _parallel(record: ExecutionRecord, options: RunOptions) -> int:
    given = record.request.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps")
    return max(1, options.max_parallel or given or os.cpu_count() or 1)
