"""One step, in a thread of its own: resolve, look up in the cache, execute, retry."""

from __future__ import annotations

import json
import re
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pipelines.backends.local.engine.cache import StepCache, cache_key
from pipelines.backends.local.engine.checks import checked_request
from pipelines.backends.local.engine.context import ExecutionContext
from pipelines.backends.local.engine.folders import attempt_folder
from pipelines.backends.local.engine.outputs import refuse_empty_inputs, written_files
from pipelines.backends.local.engine.parts import Token
from pipelines.backends.local.engine.resolution import ResolutionError, resolve
from pipelines.backends.local.engine.retry import StepRetries
from pipelines.backends.local.executors.contract import Executor, StepCall, StepOutcome
from pipelines.backends.local.kept import JOB_FILE, discard_earlier
from pipelines.backends.local.state.database import dumps
from pipelines.backends.local.state.executions import StepRecord
from pipelines.backends.local.stub_advice import USE_A_STUB, in_step
from pipelines.definition.stubs import stub_of
from pipelines.errors import PipelinesError, from_outside
from pipelines.execution.events import StepNoted, StepRetried
from pipelines.execution.schedule import ScheduledStep
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_REASON_LENGTH = 1024
_FAULT = "SageMaker.JOB_INTERNAL_ERROR"
_BUG = "this is a bug in pipelines, please report it"
_NOT_REUSED = "not from the cache (the service would reuse it without looking)"
_OWN_LOG = "pipelines.log"
"""Beside the logs of the hosts: what went wrong in this process."""

_JOB_WORD_LENGTH = 20
_JOB_TOKEN_LENGTH = 10
_SHORT_WORD_LENGTH = 8
_LONG = 63


@frozen
class StepRunner:
    """Runs steps of one execution; safe in several threads at once.

    Args:
        context: the execution.
        properties: of each step that succeeded so far; the scheduler adds to it.
        retried: called with each retry.
    """

    context: ExecutionContext
    properties: Mapping[str, JsonObject]
    ended: Mapping[str, StepRecord]
    report: Callable[[StepRetried | StepNoted], None]

    def run(self, node: ScheduledStep, record: StepRecord, stop: threading.Event) -> StepRecord:
        """Run a step to its end; whatever goes wrong becomes the reason of a failed step."""
        try:
            return self._run(node, record, stop)
        except PipelinesError as error:
            return self._end(record, StepOutcome(StepStatus.FAILED, {}, reason=_reason(error)))
        except Exception as error:  # noqa: BLE001 - the outermost frame of a step's thread
            record = replace(record, attempts=record.attempts + 1)
            logs = self._logs(node, record.attempts)
            return self._end(record, _unexpected(error, logs, self.context.settings.home))

    def _run(self, node: ScheduledStep, record: StepRecord, stop: threading.Event) -> StepRecord:
        executor = self._executor(node)
        call = self._call(node, record.attempts + 1, stop)
        record = replace(record, cache_key=self._cache_key(node, call.arguments))
        hit = self._cached(node, record)
        if hit is not None:
            return hit
        if node.name not in self.context.stubs:
            self.refuse_empty_inputs(node, call.arguments)
        return self._attempts(node, record, call, executor)

    def _attempts(
        self, node: ScheduledStep, record: StepRecord, call: StepCall, executor: Executor
    ) -> StepRecord:
        clock = self.context.parts.clock
        retries = StepRetries(node.step.get("RetryPolicies") or [], clock.now())
        while True:
            attempt = record.attempts + 1
            metadata = self._running_job(node, call)
            record = replace(
                record, status=StepStatus.EXECUTING, attempts=attempt, metadata=metadata
            )
            self.context.store.save_step(record)
            discard_earlier(self.context.settings.home, call.logs.parent)
            call.logs.mkdir(parents=True, exist_ok=True)
            (call.logs / JOB_FILE).write_text(call.job_name, encoding="utf-8")
            outcome = _execute(executor, call)
            for text in outcome.notes:
                self.report(StepNoted(node.name, text))
            fault = outcome.fault if outcome.status is StepStatus.FAILED else None
            wait = retries.wait_after(fault, clock.now()) if fault is not None else None
            if fault is None or wait is None:
                return self._end(record, outcome)
            self.report(StepRetried(node.name, attempt, fault, wait))
            if clock.wait(call.stop, wait):
                return self._end(record, outcome)
            call = self._call(node, attempt + 1, call.stop)

    def refuse_empty_inputs(self, node: ScheduledStep, request: JsonObject) -> None:
        """Refuse a request that reads an output into which its step wrote nothing."""
        find = self.context.parts.step_types
        refuse_empty_inputs(request, find(node.type), self.ended, self.context.objects, find)

    def _running_job(self, node: ScheduledStep, call: StepCall) -> dict[str, JsonObject]:
        """Return the entry in ListPipelineExecutionSteps by which the running job is found."""
        step_type = self.context.parts.step_types(node.type)
        job = step_type.resource if step_type is not None else None
        if step_type is None or job is None or not job.log_group or node.name in self.context.stubs:
            return {}
        return {step_type.metadata: {job.listed: call.settings.arn(f"{job.noun}/{call.job_name}")}}

    def _executor(self, node: ScheduledStep) -> Executor:
        stub = self.context.stubs.get(node.name)
        if stub is not None:
            return stub.executor(self.context.objects)
        executor = self.context.parts.executors(node.type)
        if executor is None:
            raise ResolutionError(
                f"steps of type {node.type} cannot be executed locally",
                USE_A_STUB,
            )
        return executor

    def _call(self, node: ScheduledStep, attempt: int, stop: threading.Event) -> StepCall:
        context = self.context
        step_type = context.parts.step_types(node.type)
        made = step_type.resource if step_type is not None else None
        name = short_job_name if made is not None and made.longest < _LONG else job_name
        job = name(context.execution.id, node.name, attempt, context.parts.token)
        return self.call(node, job, self._logs(node, attempt), stop)

    def call(self, node: ScheduledStep, job: str, logs: Path, stop: threading.Event) -> StepCall:
        """Return the call of a step, its arguments resolved and checked.

        Raises:
            ResolutionError: they cannot be resolved, or the service would refuse them.
        """
        context = self.context
        arguments = self._resolved(node, job)
        request = checked_request(node.step, arguments, context.parts.step_types(node.type))
        return StepCall(
            name=node.name,
            job_name=job,
            arguments=request,
            step=node.step,
            execution=context.info,
            settings=replace(
                context.settings,
                lent=context.lent.get(node.name),
                simulated=context.simulated.get(node.name, {}),
            ),
            registry=context.registry,
            logs=logs,
            stop=stop,
            jobs=context.jobs,
        )

    def _resolved(self, node: ScheduledStep, job: str) -> JsonObject:
        """Resolve the arguments of a step; the steps inside it stay as they are written."""
        step_type = self.context.parts.step_types(node.type)
        held = {nested.argument for nested in step_type.holds} if step_type is not None else ()
        scope = self.context.scope(self.properties, job)
        arguments: JsonObject = node.step.get("Arguments") or {}
        return {k: v if k in held else resolve(v, scope) for k, v in arguments.items()}

    def _logs(self, node: ScheduledStep, attempt: int) -> Path:
        context = self.context
        return attempt_folder(context.settings.home, context.execution.id, node.name, attempt)

    def _cache_key(self, node: ScheduledStep, arguments: JsonObject) -> str | None:
        """Return the key; what a stub or a simulation had a part in has nothing to do with it."""
        if node.name in self.context.stubs or node.name in self.context.simulated:
            return None
        return cache_key(node.step, arguments, self.context.parts.step_types(node.type))

    def _cached(self, node: ScheduledStep, record: StepRecord) -> StepRecord | None:
        context = self.context
        if record.cache_key is None or not context.caching:
            return None
        now = context.parts.clock.now()
        cache = StepCache(context.store, context.objects, context.execution.pipeline)
        found = cache.find(node.step, record.cache_key, now)
        if found.damaged is not None:
            self.report(StepNoted(node.name, f"{_NOT_REUSED}: {found.damaged}"))
        if found.result is None:
            return None
        hit = replace(
            record,
            status=StepStatus.SUCCEEDED,
            ended=now,
            properties=found.result.properties,
            metadata=found.result.metadata,
            outputs=found.result.outputs,
            cached_from=found.arn,
        )
        return hit if context.store.take(hit) else None

    def _end(self, record: StepRecord, outcome: StepOutcome) -> StepRecord:
        """Record an outcome; properties as they will be read back after a crash."""
        properties = json.loads(dumps(outcome.properties))
        succeeded = outcome.status is StepStatus.SUCCEEDED
        step_type = self.context.parts.step_types(record.type)
        outputs = written_files(properties, self.context.objects, step_type) if succeeded else {}
        return replace(
            record,
            status=outcome.status,
            ended=self.context.parts.clock.now(),
            properties=properties,
            metadata=json.loads(dumps(dict(outcome.metadata))),
            outputs=outputs,
            reason=_end_reason(replace(outcome, reason=self._advised(record.name, outcome.reason))),
        )

    def _advised(self, step: str, reason: str | None) -> str | None:
        """Say of which step a stub is wanted, and what the others read of it."""
        if reason is None or USE_A_STUB not in reason:
            return reason
        return in_step(reason, step, stub_of(self.context.definition.document, step))


def _end_reason(outcome: StepOutcome) -> str | None:
    match outcome.status:
        case StepStatus.SUCCEEDED:
            return None
        case StepStatus.FAILED:
            return (outcome.reason or "it failed")[:_REASON_LENGTH]
        case _:
            return outcome.reason[:_REASON_LENGTH] if outcome.reason else None


def job_name(execution: str, step: str, attempt: int, token: Token) -> str:
    """Name the job of an attempt, counted from 1: `pipelines-<id>-<step>-<token>-<failures>`.

    Job names have no underscores and at most 63 characters (FACTS 11.7).
    """
    word = re.sub(r"[^A-Za-z0-9-]", "-", step)[:_JOB_WORD_LENGTH].strip("-") or "step"
    return f"pipelines-{execution}-{word}-{token(_JOB_TOKEN_LENGTH)}-{attempt - 1}"


def short_job_name(execution: str, step: str, _attempt: int, token: Token) -> str:
    """Name the job of an attempt where names have at most 32 characters: `<id>-<step>-<token>`.

    So the service names tuning jobs, as recorded names of their training jobs show.
    """
    word = re.sub(r"[^A-Za-z0-9]", "", step)[:_SHORT_WORD_LENGTH] or "step"
    return f"{execution}-{word}-{token(_JOB_TOKEN_LENGTH)}"


def _execute(executor: Executor, call: StepCall) -> StepOutcome:
    try:
        return executor(call)
    except PipelinesError as error:
        return StepOutcome(StepStatus.FAILED, {}, reason=_reason(error))
    except Exception as error:  # noqa: BLE001 - whatever an executor raises ends its step alone
        return _unexpected(error, call.logs, call.settings.home)


def _unexpected(error: Exception, logs: Path, home: Path) -> StepOutcome:
    """Return the end of a step that this machine, or a bug of ours, has ended."""
    reason = from_outside(error, home) if isinstance(error, OSError) else None
    if reason is not None:  # a full disk, for example: the other steps end by themselves
        return StepOutcome(StepStatus.FAILED, {}, reason=reason, fault=_FAULT)
    with suppress(OSError):
        logs.mkdir(parents=True, exist_ok=True)
        text = f"{_BUG}:\n{''.join(traceback.format_exception(error))}"
        (logs / _OWN_LOG).write_text(text, encoding="utf-8", errors="backslashreplace")
    return StepOutcome(StepStatus.FAILED, {}, reason=f"{_BUG}: {type(error).__name__}: {error}")


def _reason(error: PipelinesError) -> str:
    return error.problem if error.remedy is None else f"{error.problem}; {error.remedy}"
