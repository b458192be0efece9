"""The scheduling loop of one execution.

Steps run in threads; all decisions, all records of the execution and all calls of the observer
happen in the thread that called `run`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

from pipelines.backends.local.engine.context import ExecutionContext
from pipelines.backends.local.engine.folders import attempt_folder, log_tail
from pipelines.backends.local.engine.step_runner import StepRunner
from pipelines.backends.local.state.executions import StepRecord
from pipelines.execution.events import (
    ExecutionEnded,
    ExecutionStarted,
    Observer,
    StepEnded,
    StepNoted,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from pipelines.execution.schedule import (
    Ready,
    ScheduledStep,
    WillNotRun,
    final_status,
    is_handled,
    readiness,
)
from pipelines.execution.status import ENDED, ExecutionStatus, StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_POLL_SECONDS = 0.5
"""How long it may take to notice that another process has requested a stop."""


@frozen
class StopRequest:
    """Stop the execution."""


@frozen
class StepFinished:
    """The thread of a step has ended."""

    step: str
    future: Future[StepRecord]


SchedulerMessage: TypeAlias = StopRequest | StepFinished | StepRetried | StepNoted
SchedulerInbox: TypeAlias = "queue.SimpleQueue[SchedulerMessage]"
"""`SimpleQueue.put` may be called from a signal handler."""


class Scheduler:
    """Runs one execution, from the state of its recorded steps.

    Args:
        context: the execution.
        observer: called with each event.
        inbox: where stops are requested.
        max_parallel: how many steps run at the same time.
    """

    def __init__(
        self,
        context: ExecutionContext,
        observer: Observer,
        inbox: SchedulerInbox,
        max_parallel: int,
    ) -> None:
        self._context = context
        self._observer = observer
        self._inbox = inbox
        self._max_parallel = max_parallel
        self._store = context.store
        self._nodes: Mapping[str, ScheduledStep] = context.definition.steps
        self._ended: dict[str, StepRecord] = {}
        self._skipped: dict[str, str] = {}
        self._running: dict[str, threading.Event] = {}
        self._earlier: dict[str, StepRecord] = {}
        self._properties: dict[str, JsonObject] = {}
        self._stopping = False
        self._runner = StepRunner(context, self._properties, self._ended, inbox.put)

    def run(self) -> ExecutionStatus:
        """Run every step that may run; return how the execution ended.

        An exception that is a bug of ours, or a KeyboardInterrupt, stops the running steps, waits
        for them and propagates; the execution can then be resumed.
        """
        began = self._now()
        self._load()
        self._announce()
        with ThreadPoolExecutor(self._max_parallel, "step") as pool:
            try:
                self._loop(pool)
            finally:
                for stop in self._running.values():
                    stop.set()
        return self._finish(began)

    def _now(self) -> float:
        return self._context.parts.clock.now()

    def _load(self) -> None:
        """Load recorded steps; interrupted ones and unhandled failures run again."""
        records = {record.name: record for record in self._store.steps(self._context.execution.id)}
        for name, record in records.items():
            stays = record.status is StepStatus.SUCCEEDED or (
                record.status in ENDED
                and (
                    self._context.parts.is_terminal(record.type)
                    or is_handled(name, self._nodes, records)
                )
            )
            if stays:
                self._take(record)
            else:
                self._earlier[name] = record

    def _take(self, record: StepRecord) -> None:
        self._ended[record.name] = record
        if record.status is StepStatus.SUCCEEDED:
            self._properties[record.name] = record.properties

    def _announce(self) -> None:
        execution, ended = self._context.execution, self._ended
        reused = {name: step.reused_from for name, step in ended.items() if step.reused_from}
        done = tuple(name for name in ended if name not in reused)
        self._observer(
            ExecutionStarted(
                execution.id, execution.arn, execution.pipeline, (*self._nodes,), done, reused
            )
        )

    def _loop(self, pool: ThreadPoolExecutor) -> None:
        while True:
            self._notice_stop()
            if not self._stopping:
                self._advance(pool)
            if not self._running:
                return
            try:
                message = self._inbox.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            self._receive(message)

    def _notice_stop(self) -> None:
        status = self._store.status(self._context.execution.id)
        if status is ExecutionStatus.STOPPING:
            self._stop()

    def _advance(self, pool: ThreadPoolExecutor) -> None:
        """Skip and start what can be decided now; skipping a step may decide others."""
        changed = True
        while changed:
            changed = False
            for node in self._open():
                decided = readiness(node, self._ended, self._skipped)
                if isinstance(decided, WillNotRun):
                    self._skipped[node.name] = decided.because
                    self._observer(StepSkipped(node.name, decided.because))
                    changed = True
                elif isinstance(decided, Ready) and len(self._running) < self._max_parallel:
                    self._start(node, pool)

    def _open(self) -> list[ScheduledStep]:
        known = {*self._ended, *self._skipped, *self._running}
        return [node for name, node in self._nodes.items() if name not in known]

    def _start(self, node: ScheduledStep, pool: ThreadPoolExecutor) -> None:
        earlier = self._earlier.get(node.name)
        record = StepRecord(
            execution=self._context.execution.id,
            name=node.name,
            type=node.type,
            status=StepStatus.STARTING,
            started=self._now(),
            attempts=earlier.attempts if earlier else 0,
        )
        self._store.save_step(record)
        self._observer(StepStarted(node.name, node.type))
        stop = threading.Event()
        self._running[node.name] = stop
        future = pool.submit(self._runner.run, node, record, stop)
        future.add_done_callback(partial(self._report, node.name))

    def _report(self, step: str, future: Future[StepRecord]) -> None:
        self._inbox.put(StepFinished(step, future))

    def _receive(self, message: SchedulerMessage) -> None:
        match message:
            case StopRequest():
                self._stop()
            case StepRetried() | StepNoted():
                self._observer(message)
            case StepFinished(step, future):
                self._end(step, future)

    def _end(self, step: str, future: Future[StepRecord]) -> None:
        record = future.result()
        del self._running[step]
        self._store.save_step(record)
        self._take(record)
        failed = record.status is StepStatus.FAILED
        home, execution = self._context.settings.home, self._context.execution.id
        logs = attempt_folder(home, execution, step, record.attempts)
        self._observer(
            StepEnded(
                step,
                record.status,
                (record.ended or record.started) - record.started,
                record.cached_from,
                record.reason,
                log_tail(logs, record.reason) if failed else (),
                record.properties.get("ExitMessage"),
                metrics=self._metrics(record),
            )
        )

    def _metrics(self, record: StepRecord) -> dict[str, float]:
        """Return the metrics of a step's job by their own names."""
        step_type = self._context.parts.step_types(record.type)
        found = step_type.metrics_of(record.properties) if step_type is not None else {}
        return {name.partition("metrics.")[2]: value for name, value in found.items()}

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._store.ask_to_stop(self._context.execution.id, self._now())
        for stop in self._running.values():
            stop.set()

    def _finish(self, began: float) -> ExecutionStatus:
        if self._stopping and self._is_cut_short():
            status, reason = ExecutionStatus.STOPPED, None
        else:
            status, reason = final_status(self._nodes, self._ended)
        execution = self._context.execution.id
        self._store.move(execution, status, self._now(), reason)
        self._observer(ExecutionEnded(execution, status, self._now() - began, reason))
        return status

    def _is_cut_short(self) -> bool:
        """Return whether a stop left steps undone; one at the very end has no effect."""
        return bool(self._open()) or any(
            record.status is not StepStatus.SUCCEEDED for record in self._ended.values()
        )
