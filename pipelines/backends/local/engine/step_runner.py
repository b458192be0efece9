"""One step, in a thread of its own: resolve, look into the cache, execute, retry."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.backends.local.engine.cache import Cache, cache_key, written_outputs
from pipelines.backends.local.engine.checks import refuse_untyped_references
from pipelines.backends.local.engine.context import JOB_FILE, Context
from pipelines.backends.local.engine.identifiers import job_name
from pipelines.backends.local.engine.resolution import ResolutionError, resolve
from pipelines.backends.local.engine.retry import Retries
from pipelines.backends.local.executors.contract import Executor, StepCall, StepOutcome
from pipelines.backends.local.state.database import dumps
from pipelines.backends.local.state.records import StepRecord
from pipelines.errors import PipelinesError, from_outside
from pipelines.execution.events import StepRetried
from pipelines.execution.schedule import Node
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_REASON_LENGTH = 1024
_FAULT = "SageMaker.JOB_INTERNAL_ERROR"


@frozen
class StepRunner:
    """Runs steps of one execution; safe in several threads at once.

    Args:
        context: the execution.
        properties: of each step that succeeded so far; the scheduler adds to it.
        retried: told about each retry.
    """

    context: Context
    properties: Mapping[str, JsonObject]
    retried: Callable[[StepRetried], None]

    def run(self, node: Node, record: StepRecord, stop: threading.Event) -> StepRecord:
        """Run a step to its end; what the user did wrong becomes the reason of a failed step."""
        try:
            return self._run(node, record, stop)
        except PipelinesError as error:
            outcome = StepOutcome(StepStatus.FAILED, {}, reason=_reason(error))
            return self._end(record, outcome)

    def _run(self, node: Node, record: StepRecord, stop: threading.Event) -> StepRecord:
        executor = self._executor(node)
        call = self._call(node, record.attempts + 1, stop)
        record = replace(record, cache_key=self._cache_key(node, call.arguments))
        hit = self._cached(node, record)
        return self._attempts(node, record, call, executor) if hit is None else hit

    def _attempts(
        self, node: Node, record: StepRecord, call: StepCall, executor: Executor
    ) -> StepRecord:
        clock = self.context.parts.clock
        retries = Retries(node.step.get("RetryPolicies") or [], clock.now())
        while True:
            attempt = record.attempts + 1
            metadata = self._running_job(node, call)
            record = replace(
                record, status=StepStatus.EXECUTING, attempts=attempt, metadata=metadata
            )
            self.context.store.save_step(record)
            call.logs.mkdir(parents=True, exist_ok=True)
            (call.logs / JOB_FILE).write_text(call.job_name, encoding="utf-8")
            outcome = _execute(executor, call)
            fault = outcome.fault if outcome.status is StepStatus.FAILED else None
            wait = retries.wait_after(fault, clock.now()) if fault is not None else None
            if fault is None or wait is None:
                return self._end(record, outcome)
            self.retried(StepRetried(node.name, attempt, fault, wait))
            if clock.wait(call.stop, wait):
                return self._end(record, outcome)
            call = self._call(node, attempt + 1, call.stop)

    def _running_job(self, node: Node, call: StepCall) -> dict[str, JsonObject]:
        """Say which job runs, for who follows it: the entry in ListPipelineExecutionSteps."""
        step_type = self.context.parts.step_types(node.type)
        job = step_type.resource if step_type is not None else None
        if step_type is None or job is None or not job.log_group or node.name in self.context.stubs:
            return {}
        from pipelines.backends.local.jobs.run import job_arn  # noqa: PLC0415 - where jobs run

        return {step_type.metadata: {job.listed: job_arn(call, job.noun)}}

    def _executor(self, node: Node) -> Executor:
        stub = self.context.stubs.get(node.name)
        if stub is not None:
            return stub.executor(self.context.objects)
        executor = self.context.parts.executors(node.type)
        if executor is None:
            raise ResolutionError(
                f"steps of type {node.type} cannot be executed locally",
                f"answer for it with `--stub {node.name}=FILE`",
            )
        return executor

    def _call(self, node: Node, attempt: int, stop: threading.Event) -> StepCall:
        context = self.context
        job = job_name(context.execution.id, node.name, attempt, context.parts.token)
        arguments = self._resolved(node, job)
        refuse_untyped_references(node.step, arguments, context.parts.step_types(node.type))
        logs = log_folder(context, node.name, attempt)
        return StepCall(
            name=node.name,
            job_name=job,
            arguments=arguments,
            step=node.step,
            execution=context.info,
            settings=context.settings,
            registry=context.registry,
            logs=logs,
            stop=stop,
        )

    def _resolved(self, node: Node, job: str) -> JsonObject:
        """Resolve the arguments of a step; the steps inside it stay as they are written."""
        step_type = self.context.parts.step_types(node.type)
        held = {nested.argument for nested in step_type.holds} if step_type is not None else ()
        scope = self.context.scope(self.properties, job)
        arguments: JsonObject = node.step.get("Arguments") or {}
        return {k: v if k in held else resolve(v, scope) for k, v in arguments.items()}

    def _cache_key(self, node: Node, arguments: JsonObject) -> str | None:
        """Return the key; a stub's answer neither comes from the cache nor goes into it."""
        if node.name in self.context.stubs:
            return None
        return cache_key(node.step, arguments, self.context.parts.step_types(node.type))

    def _cached(self, node: Node, record: StepRecord) -> StepRecord | None:
        context = self.context
        if record.cache_key is None or not context.caching:
            return None
        now = context.parts.clock.now()
        cache = Cache(context.store, context.objects, context.execution.pipeline)
        hit = cache.find(node.step, record.cache_key, now)
        if hit is None:
            return None
        source, arn = hit
        return replace(
            record,
            status=StepStatus.SUCCEEDED,
            ended=now,
            properties=source.properties,
            metadata=source.metadata,
            cached_from=arn,
        )

    def _end(self, record: StepRecord, outcome: StepOutcome) -> StepRecord:
        """Take over an outcome; properties as they will be read back after a crash."""
        properties = json.loads(dumps(outcome.properties))
        succeeded = outcome.status is StepStatus.SUCCEEDED
        step_type = self.context.parts.step_types(record.type) if record.cache_key else None
        outputs = written_outputs(properties, self.context.objects, step_type)
        return replace(
            record,
            status=outcome.status,
            ended=self.context.parts.clock.now(),
            properties=properties,
            metadata=json.loads(dumps(dict(outcome.metadata))),
            outputs=outputs if succeeded else (),
            reason=_ended_because(outcome),
        )


def _ended_because(outcome: StepOutcome) -> str | None:
    match outcome.status:
        case StepStatus.SUCCEEDED:
            return None
        case StepStatus.FAILED:
            return (outcome.reason or "it failed")[:_REASON_LENGTH]
        case _:
            return outcome.reason[:_REASON_LENGTH] if outcome.reason else None


def log_folder(context: Context, step: str, attempt: int) -> Path:
    """Say where the logs of an attempt lie."""
    return context.folder / step / str(attempt)


def _execute(executor: Executor, call: StepCall) -> StepOutcome:
    try:
        return executor(call)
    except PipelinesError as error:
        return StepOutcome(StepStatus.FAILED, {}, reason=_reason(error))
    except OSError as error:  # a full disk, say: the other steps end by themselves
        said = from_outside(error)
        if said is None:
            raise
        return StepOutcome(StepStatus.FAILED, {}, reason=said, fault=_FAULT)


def _reason(error: PipelinesError) -> str:
    return error.problem if error.remedy is None else f"{error.problem}; {error.remedy}"
