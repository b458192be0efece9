"""Events as lines: for files, pipes and CI."""

from __future__ import annotations

import os
from typing import TextIO

from pipelines.cli.printing import escaped, log_line
from pipelines.cli.progress.words import duration, note
from pipelines.execution.events import (
    Event,
    ExecutionEnded,
    ExecutionStarted,
    StepEnded,
    StepNoted,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from pipelines.execution.failure import remarks
from pipelines.execution.identifiers import identifier
from pipelines.execution.status import StepStatus


class Lines:
    """Writes one line for every event, at once.

    A run does not end because nobody reads on (`| head -1`) or there is no room for its report:
    what cannot be written is dropped, with everything after it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Show an event."""
        try:
            self._show(event)
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def _show(self, event: Event) -> None:
        line = _line(event)
        if line is not None:
            self._stream.write(f"{escaped(line)}\n")
        if isinstance(event, StepEnded) and event.status is StepStatus.FAILED:
            self._stream.writelines(f"    | {log_line(text)}\n" for text in event.log_tail)
            self._stream.writelines(f"    {escaped(text)}\n" for text in remarks(event.reason))
        self._stream.flush()


def _line(event: Event) -> str | None:
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


def _of_step(event: StepStarted | StepRetried | StepNoted | StepEnded | StepSkipped) -> str:
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
