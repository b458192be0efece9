"""The logs of running jobs → what is new in them: a line, how far the job is, its metrics.

Read through a `Caller`, so that it works on both backends: each look reads what was written since
the one before. CloudWatch answers few calls a second for a whole account, so that only some jobs
are looked at each time. Metrics are searched for by a process of its own, as somebody's regular
expression may take for ever.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from pipelines.execution import logs
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.events import Observer, StepProgressed
from pipelines.execution.job_progress import EPOCH, Progress, progress_in, shown_line
from pipelines.execution.schedule import ScheduledStep
from pipelines.execution.searching import Searched, searching
from pipelines.execution.status import StepStatus
from pipelines.execution.trials import TryingJob, find_trying
from pipelines.execution.usage import is_usage
from pipelines.grammar.patterns import compiled
from pipelines.json_types import Json, JsonObject

_FIRST_LINES: Final = 1000
"""How many lines are read of a job that was followed late."""

_SEARCHED: Final = 5000
"""Characters at the end of what a job wrote since the last look that are searched for metrics."""

_JOBS_AT_ONCE: Final = 5
"""How many jobs of an account are looked at in one look."""

_LOOKS_AT_A_STREAM: Final = 20
"""After so many a job may have begun another stream, on another host."""

_SHARE: Final = 10
"""Looking takes at most one part of the time in so many."""

_RUNNING: Final = frozenset({StepStatus.EXECUTING, StepStatus.STOPPING})


@dataclass(slots=True)
class _Job:
    """What was read of the jobs of one step."""

    patterns: dict[str, str]
    metrics: tuple[str, ...] = field(init=False)
    metadata: Json = None
    stream: logs.LogStream | None = None
    token: str | None = None
    looks: int = 0
    epoch: Progress | None = None
    seen: StepProgressed = field(default_factory=lambda: StepProgressed(""))

    def __post_init__(self) -> None:
        self.metrics = tuple(self.patterns)

    def begin(self, stream: logs.LogStream | None) -> None:
        """Read another stream from now on: that of another attempt, or of another host."""
        self.stream, self.token, self.epoch, self.seen = stream, None, None, StepProgressed("")

    def take(self, line: str) -> None:
        """Read one line; what the runtime says of usage is none of the job's own."""
        if is_usage(line):
            return
        shown = shown_line(line)
        progress = progress_in(shown)
        if progress is not None:
            if progress.counted == EPOCH:
                self.epoch = progress
            self.seen = replace(self.seen, progress=progress.within(self.epoch))
        text = shown if progress is None else progress.text
        if text.strip():
            self.seen = replace(self.seen, line=text.strip())

    def search(self, lines: list[str]) -> None:
        """Search lines for metrics; an expression that takes too long is given up."""
        text = "\n".join(lines)[-_SEARCHED:]
        if not text or not self.patterns:
            return
        found, is_slow = _searched(self.patterns, text)
        known = {**self.seen.metrics, **{n: v for n, v in found.items() if v is not None}}
        ordered = {name: known[name] for name in self.metrics if name in known}
        if is_slow:
            del self.patterns[next(name for name in self.patterns if name not in found)]
        self.seen = replace(self.seen, metrics=ordered)


def _searched(patterns: Mapping[str, str], text: str) -> tuple[Mapping[str, float | None], bool]:
    """Return what each pattern finds, and whether the one after these took too long."""
    with searching(Searched([*patterns.items()], text=text)) as search:
        found = {one.name: next(iter(one.values), None) for one in search.found()}
    return found, len(found) < len(patterns)


class Activity:
    """Looks at the logs of steps, and reports what is new of each.

    Args:
        caller: where they run.
        nodes: the steps of the definition, as far as they are known.
        observer: called with what is new.
    """

    def __init__(
        self, caller: Caller, nodes: Mapping[str, ScheduledStep], observer: Observer
    ) -> None:
        self._caller, self._nodes, self._observer = caller, nodes, observer
        self._jobs: dict[str, _Job] = {}
        self._turn = 0
        self._rests_until = 0.0

    def look(self, steps: list[JsonObject]) -> None:
        """Read what the running ones of some steps wrote; what cannot be read now is left.

        Args:
            steps: as ListPipelineExecutionSteps gives them.
        """
        began = time.monotonic()
        if began < self._rests_until:
            return
        running = [step for step in steps if step["StepStatus"] in _RUNNING]
        for step in self._chosen(running):
            name = str(step["StepName"])
            job = self._job(name)
            before = job.seen
            self._read(job, step)
            if job.seen != before:
                self._observer(replace(job.seen, step=name))
        now = time.monotonic()
        self._rests_until = now + _SHARE * (now - began)

    def last_metrics(self, step: JsonObject) -> Mapping[str, float]:
        """Read what a step wrote at its end; return the newest value of each metric."""
        job = self._job(str(step["StepName"]))
        if job.patterns:
            self._read(job, step)
        return job.seen.metrics

    def _job(self, step: str) -> _Job:
        return self._jobs.setdefault(step, _Job(_patterns(self._nodes.get(step))))

    def _chosen(self, running: list[JsonObject]) -> list[JsonObject]:
        if self._caller.is_local or len(running) <= _JOBS_AT_ONCE:
            return running
        self._turn = (self._turn + _JOBS_AT_ONCE) % len(running)
        return [*running[self._turn :], *running[: self._turn]][:_JOBS_AT_ONCE]

    def _read(self, job: _Job, step: JsonObject) -> None:
        """Read what is new; a log that may not be read says so in the place of its newest line."""
        try:
            self._read_on(job, step)
        except CallRefusedError as error:
            if not (error.is_transient or error.is_missing):
                line = f"(its log cannot be read: {error.problem})"
                job.seen = replace(job.seen, line=line)

    def _read_on(self, job: _Job, step: JsonObject) -> None:
        metadata = step.get("Metadata")
        trying = find_trying(self._caller, metadata)
        if trying is not None:
            job.seen = _of_trials(trying)
            return
        if job.metadata != metadata or job.stream is None or job.looks >= _LOOKS_AT_A_STREAM:
            job.metadata, job.looks = metadata, 0
            stream = logs.main_stream(logs.streams(self._caller, step)) if metadata else None
            if stream is None or job.stream is None or stream.name != job.stream.name:
                job.begin(stream)
        job.looks += 1
        if job.stream is None:
            return
        lines = [*self._new_lines(job, job.stream)]
        if self._caller.is_local:
            newest = logs.latest(self._caller, job.stream, 1)
            lines += [line for line in newest if "\r" in line.text]  # a bar is not ended yet
        for line in lines:
            job.token = line.token
            job.take(line.text)
        job.search([shown_line(line.text) for line in lines])

    def _new_lines(self, job: _Job, stream: logs.LogStream) -> Iterator[logs.LogLine]:
        if job.token is None:
            yield from logs.latest(self._caller, stream, _FIRST_LINES)
        else:
            yield from logs.lines(self._caller, stream, job.token)


def _of_trials(job: TryingJob) -> StepProgressed:
    """Return how far a job is that starts others, and the best of them."""
    standing = job.trials.standing(job.described)
    shown = f"{standing.done}/{standing.most}" if standing.most else str(standing.done)
    fraction = standing.done / standing.most if standing.most else None
    metrics = {name.partition("metrics.")[2]: value for name, value in job.metrics.items()}
    return StepProgressed("", standing.text, Progress("trial", shown, fraction), metrics)


def _patterns(node: ScheduledStep | None) -> dict[str, str]:
    """Return the expressions of a step's metrics, as Python writes them."""
    patterns = {}
    for one in _definitions(node.step.get("Arguments") if node is not None else None):
        name, expression = one.get("Name"), one.get("Regex")
        if isinstance(name, str) and isinstance(expression, str):
            with suppress(re.error):
                patterns[name] = compiled(expression).pattern
    return patterns


def _definitions(arguments: Json) -> Iterator[JsonObject]:
    """Yield the definitions of metrics in a request, wherever they stand in it."""
    if not isinstance(arguments, dict):
        return
    for key, value in arguments.items():
        if key == "MetricDefinitions" and isinstance(value, list):
            yield from (one for one in value if isinstance(one, dict))
        else:
            yield from _definitions(value)
