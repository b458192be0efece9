"""Events as lines: for files, pipes and CI."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TextIO, TypeAlias

from pipelines.cli.printing import escaped, log_line
from pipelines.cli.progress.words import duration, metrics_text, note, progress_text
from pipelines.execution.events import (
    Event,
    ExecutionEnded,
    ExecutionStarted,
    StepEnded,
    StepNoted,
    StepProgressed,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from pipelines.execution.failure import remarks
from pipelines.execution.identifiers import identifier
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.execution.job_progress import Progress


_OfStep: TypeAlias = StepStarted | StepRetried | StepNoted | StepEnded | StepSkipped
_Said: TypeAlias = ExecutionStarted | ExecutionEnded | _OfStep

_SECONDS: Final = 10.0
_SHARE: Final = 10


class Lines:
    """Writes one line for every change of a step, at once.

    How far a running step is, and its newest metrics, are written after ten seconds, and again
    when a tenth of the time that it runs has passed: an hour's log has some fifty such lines.

    A run does not end because nobody reads on (`| head -1`) or there is no room for its report:
    what cannot be written is dropped, with everything after it.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._guard = threading.Lock()
        self._running: dict[str, _Running] = {}

    def __call__(self, event: Event) -> None:
        """Show an event."""
        try:
            with self._guard:
                self._show(event)
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def _show(self, event: Event) -> None:
        line = self._progressed(event) if isinstance(event, StepProgressed) else _line(event)
        match event:
            case StepStarted():
                self._running[event.step] = _Running(
                    self._clock() - event.seconds, self._clock() + _SECONDS
                )
            case StepEnded():
                self._running.pop(event.step, None)
            case _:
                pass
        if line is not None:
            self._stream.write(f"{escaped(line)}\n")
        if isinstance(event, StepEnded) and event.status is StepStatus.FAILED:
            self._stream.writelines(f"    | {log_line(text)}\n" for text in event.log_tail)
            self._stream.writelines(f"    {escaped(text)}\n" for text in remarks(event.reason))
        self._stream.flush()

    def _progressed(self, event: StepProgressed) -> str | None:
        """Word how far a step is, where that is new and not too soon after the last time."""
        running, now = self._running.get(event.step), self._clock()
        said = "  ".join(filter(None, (_how_far(event.progress), metrics_text(event.metrics))))
        if running is None or not said or said == running.said or now < running.not_before:
            return None
        spent = now - running.began
        self._running[event.step] = _Running(
            running.began, now + max(_SECONDS, spent / _SHARE), said
        )
        return f"  {event.step}: {said}  ({duration(spent)})"


@frozen
class _Running:
    """A running step: when it began, from when on more may be said of it, and what was said."""

    began: float
    not_before: float
    said: str = ""


def _how_far(progress: Progress | None) -> str:
    if progress is None:
        return ""
    percent = "" if progress.fraction is None else f"{progress.fraction:.0%}"
    return "  ".join(filter(None, (percent, progress_text(progress))))


def _line(event: _Said) -> str | None:
    match event:
        case ExecutionStarted(execution=execution, pipeline=pipeline, done=done, reused=reused):
            counted = "1 step is" if len(done) == 1 else f"{len(done)} steps are"
            resumed = f", {counted} done" if done else ""
            taken = [f"\n  {step}: from {identifier(arn)}" for step, arn in reused.items()]
            return f"{pipeline}: execution {execution}{resumed}{''.join(taken)}"
        case ExecutionEnded(status=status, seconds=seconds):
            return f"{status} in {duration(seconds)}"
        case _:
            return f"  {event.step}: {_of_step(event)}"


def _of_step(event: _OfStep) -> str:
    match event:
        case StepStarted(type=type_name):
            return f"started ({type_name})"
        case StepRetried(fault=fault, wait=wait):
            return f"{fault}, trying again in {duration(wait)}"
        case StepNoted(text=text):
            return text
        case StepEnded(status=status, seconds=seconds):
            said = f": {note(event)}" if note(event) else ""
            return f"{status} in {duration(seconds)}{said}"
        case StepSkipped(because=because):
            return f"not run, {because}"
