"""The training jobs of one tuning job: started as many at once as allowed, until there is an end.

Everything happens in the thread of the tuning job; training jobs run in threads of their own and
report their end through a queue.
"""

from __future__ import annotations

import math
import queue
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pipelines.backends.local.jobs.kind import ChildOrder
from pipelines.backends.local.jobs.spec import REASON_LENGTH, JobRefusedError
from pipelines.backends.local.jobs.states import JobOutcome, JobStatus
from pipelines.backends.local.jobs.tuning.search import Search
from pipelines.backends.local.jobs.tuning.trials import (
    DEFINITION,
    PARENT,
    Trial,
    counted,
    overall,
    trials_of,
)
from pipelines.backends.local.jobs.tuning.watching import values_so_far
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.backends.local.jobs.kind import ChildJobs, JobOrder
    from pipelines.backends.local.jobs.tuning.plan import JobDefinition, TuningPlan
    from pipelines.backends.local.jobs.tuning.search import Proposal
    from pipelines.backends.local.state.jobs import JobRecord
    from pipelines.json_types import JsonObject

_TRAINING: Final = "Training"
_POLL_SECONDS: Final = 0.5
"""How often it is looked at requests to stop, and at the logs of running training jobs."""

_FAILED_AT_FIRST: Final = 5
"""After so many failures and no success the service gives up, as its FailureReason says."""

_BETTER: Final = 0.01
"""The share by which a value has to be better to count as an improvement (API)."""


_NOT_EVALUATED: Final = "CompleteOnConvergence has no effect here: the service alone evaluates it"


@frozen
class _Running:
    """A training job that runs.

    Args:
        proposal: what it tries.
        definition: the index of its definition.
        record: its row, as it was created.
    """

    proposal: Proposal
    definition: int
    record: JobRecord


class TuningLoop:
    """Runs the training jobs of a tuning job.

    Args:
        order: the tuning job.
        plan: what it does.
        children: what it starts training jobs by.
    """

    def __init__(self, order: JobOrder, plan: TuningPlan, children: ChildJobs) -> None:
        self._order, self._plan, self._children = order, plan, children
        self._searches = [Search(plan, one) for one in plan.definitions]
        self._running: dict[str, _Running] = {}
        self._early: dict[str, float] = {}
        self._ended: queue.SimpleQueue[JobRecord] = queue.SimpleQueue()
        self._begun = self._failed = self._useless = 0
        self._best: float | None = None
        self._inherited: list[Trial] = []
        self._is_over = False
        self._next_look = time.monotonic() + _POLL_SECONDS
        self._left = math.inf if plan.seconds is None else plan.seconds
        self._deadline = math.inf

    def run(self) -> JobOutcome:
        """Run them to the end; return how the tuning job ended.

        Raises:
            JobRefusedError: a parent of a warm start is not there.
        """
        self._remember()
        self._deadline = time.monotonic() + self._left
        self._is_over |= self._left <= 0
        try:
            while not self._is_finished():
                self._start_some()
                for search in self._searches if self._may_start() else ():
                    search.prepare()
                self._wait()
        finally:
            self._stop_all()
        return self._outcome()

    def _remember(self) -> None:
        """Take what is known: training jobs of this tuning job, and those of its parents."""
        for name in self._plan.parents:
            jobs = self._children.of(name)
            if jobs is None:
                raise JobRefusedError(
                    f"there is no tuning job `{name}` to start from", "remove `WarmStartConfig`"
                )
            self._take(jobs, is_own=False)
        self._take(self._children.of(self._order.identity.name) or [], is_own=True)

    def _take(self, jobs: list[JobRecord], *, is_own: bool) -> None:
        for trial in trials_of(self._order.request, jobs):
            index = self._index_of(trial.job)
            self._searches[index].remember(trial.tuned, trial.value, is_own=is_own)
            if is_own:
                self._begun += 1
                self._left -= trial.seconds / self._plan.parallel
                self._judge(trial)
            else:
                self._inherited.append(trial)

    def _index_of(self, job: JobRecord) -> int:
        names = [one.name for one in self._plan.definitions]
        name = job.results.get(DEFINITION)
        return names.index(name) if name in names else 0

    def _is_finished(self) -> bool:
        return not self._running and not self._may_start()

    def _may_start(self) -> bool:
        most = self._plan.most
        stopped = self._is_over or self._order.stop.is_set()
        return not stopped and (most is None or self._begun < most)

    def _start_some(self) -> None:
        while self._may_start() and len(self._running) < self._plan.parallel:
            self._is_over = not self._start_next()

    def _start_next(self) -> bool:
        """Start the next training job; return False where there is no further one."""
        count = len(self._searches)
        for index in (one % count for one in range(self._begun, self._begun + count)):
            proposal = self._searches[index].ask()
            if proposal is not None:
                return self._start(proposal, index)
        return False

    def _start(self, proposal: Proposal, index: int) -> bool:
        definition, number = self._plan.definitions[index], self._begun + 1
        name = f"{self._order.identity.name}-{number:03}-{secrets.token_hex(4)}"
        order = ChildOrder(
            type=_TRAINING,
            number=number,
            name=name,
            request=self._request(definition, name, proposal),
            results=self._results(definition),
            ended=self._ended.put,
        )
        record = self._children.start(order)
        if record is None:  # the job service is being closed, and this job is asked to stop
            return False
        self._begun = number
        self._running[name] = _Running(proposal, index, record)
        return True

    def _request(self, definition: JobDefinition, name: str, proposal: Proposal) -> JsonObject:
        tags = self._order.request.get("Tags")
        request = definition.training_request(name, proposal.tuned, self._order.settings)
        return {**request, **({"Tags": tags} if tags else {})}

    def _results(self, definition: JobDefinition) -> JsonObject:
        named = {} if definition.name is None else {DEFINITION: definition.name}
        return {PARENT: self._order.identity.arn, **named}

    def _wait(self) -> None:
        """Wait until a training job ends, or it is time to look; stop what is to be stopped."""
        if not self._running:
            return
        with suppress(queue.Empty):
            left = self._next_look - time.monotonic()
            self._end(self._ended.get(timeout=max(0.0, left)))
        if time.monotonic() >= self._next_look:
            self._look()
            self._next_look = time.monotonic() + _POLL_SECONDS
        if self._is_over or self._order.stop.is_set():
            self._ask_all_to_stop()

    def _look(self) -> None:
        self._order.progress.tick()
        self._is_over |= time.monotonic() >= self._deadline
        if self._plan.stops_early or self._plan.epochs is not None:
            for name in [*self._running.keys() - self._early.keys()]:
                self._watch(self._running[name])

    def _watch(self, running: _Running) -> None:
        """Stop a training job that is unlikely to become the best one."""
        expression = self._plan.definitions[running.definition].expression
        if expression is None:
            return
        values = values_so_far(expression, self._children.logs(running.record))
        search = self._searches[running.definition]
        if values and search.is_hopeless(running.proposal, values):
            self._early[running.record.name] = values[-1]
            self._children.stop(running.record)

    def _end(self, record: JobRecord) -> None:
        """Take the result of a training job that has ended."""
        running = self._running.pop(record.name)
        early = self._early.get(record.name)
        if early is not None and record.state.status is JobStatus.STOPPED:
            record = self._with_metric(record, self._plan.definitions[running.definition], early)
        (trial,) = trials_of(self._order.request, [record])
        was_stopped = record.state.status is JobStatus.STOPPED
        search = self._searches[running.definition]
        search.tell(running.proposal, trial.value, was_stopped=was_stopped)
        self._judge(trial)

    def _with_metric(self, record: JobRecord, definition: JobDefinition, value: float) -> JobRecord:
        """Record the last value of a training job that was stopped early: it counts."""
        final = {"MetricName": definition.metric, "Value": value, "Timestamp": record.state.ended}
        return self._children.amend(record, {"FinalMetricDataList": [final]})

    def _judge(self, trial: Trial) -> None:
        """Decide by a trial that has ended whether the search goes on."""
        value = trial.value
        if value is None:
            self._failed += 1
            self._is_over |= self._best is None and self._failed >= _FAILED_AT_FIRST
            return
        self._useless = 0 if self._improves(value, trial) else self._useless + 1
        better = self._best is None or (value > self._best) is trial.maximize
        self._best = value if better else self._best
        patience = self._plan.patience
        self._is_over |= self._plan.reaches(value)
        self._is_over |= patience is not None and self._useless >= patience

    def _improves(self, value: float, trial: Trial) -> bool:
        if self._best is None:
            return True
        gained = value - self._best if trial.maximize else self._best - value
        return gained > 0 and gained >= _BETTER * abs(self._best)

    def _ask_all_to_stop(self) -> None:
        for running in self._running.values():
            self._children.stop(running.record)

    def _stop_all(self) -> None:
        self._ask_all_to_stop()
        while self._running:
            self._end(self._ended.get())

    def _outcome(self) -> JobOutcome:
        jobs = self._children.of(self._order.identity.name) or []
        results = {**counted(self._order.request, jobs), **self._beyond(jobs)}
        if self._order.stop.is_set():
            return JobOutcome(JobStatus.STOPPED, results=results)
        if self._best is None:
            return JobOutcome(JobStatus.FAILED, self._why(jobs), results=results)
        return JobOutcome(JobStatus.COMPLETED, results=results, notes=(*self._notes(jobs),))

    def _notes(self, jobs: list[JobRecord]) -> Iterator[str]:
        """Yield what else there is to be said of a search that has found something."""
        if self._plan.ends_on_convergence:
            yield _NOT_EVALUATED
        failed = [one for one in jobs if one.state.status is JobStatus.FAILED]
        if failed:
            why = str(failed[0].state.reason).partition("\n")[0]
            count = f"{len(failed)} of {len(jobs)} training jobs failed"
            yield f"{count}; the first: {failed[0].name}: {why}"

    def _beyond(self, jobs: list[JobRecord]) -> JsonObject:
        """Return what a Describe has beside counts and summaries once the search has ended."""
        details = {"NumberOfTrainingJobsObjectiveNotImproving": self._useless}
        found: JsonObject = {"TuningJobCompletionDetails": details}
        if self._plan.is_identical:
            own = trials_of(self._order.request, jobs)
            found |= overall([*self._inherited, *own])
        return found

    def _why(self, jobs: list[JobRecord]) -> str:
        """Explain that no training job has a value; the first sentence is the service's."""
        failed = [one for one in jobs if one.state.status is JobStatus.FAILED]
        ended = failed or [one for one in jobs if one.state.reason is not None]
        if ended:
            said = f"No training job succeeded after {len(jobs)} attempts."
            reason = f"{said} The first: {ended[0].name}: {ended[0].state.reason}"
        else:
            metric = self._plan.definitions[0].metric
            reason = (
                f"No objective metrics found after running {len(jobs)} training jobs: none has"
                f" logged a number for `{metric}`; see their logs, and its regular expression in"
                " MetricDefinitions"
            )
        return reason[:REASON_LENGTH]
