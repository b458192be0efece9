"""Events as a table that is kept up to date, for terminals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from pipelines.cli.printing import escaped, log_line
from pipelines.cli.progress.layout import Row, State, drawn
from pipelines.cli.progress.words import duration, note
from pipelines.execution.events import (
    Event,
    ExecutionEnded,
    ExecutionStarted,
    Observer,
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

_STATES = {
    StepStatus.SUCCEEDED: State.SUCCEEDED,
    StepStatus.FAILED: State.FAILED,
    StepStatus.STOPPED: State.STOPPED,
}


class Table:
    """The rows, drawn anew at every refresh; events may come from several threads.

    Args:
        clock: seconds since some moment.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._title = ""
        self._began = clock()
        self._rows: dict[str, Row] = {}
        self._is_last = False

    def take(self, event: Event) -> None:
        """Bring the rows up to date."""
        with self._guard:
            self._take(event)

    def finish(self) -> None:
        """Draw everything from now on, whatever the height of the terminal."""
        self._is_last = True

    def _take(self, event: Event) -> None:
        match event:
            case ExecutionStarted(execution=execution, pipeline=pipeline, steps=steps, done=done):
                self._title = f"{pipeline}  {execution}"
                self._began = self._clock() - event.seconds
                notes = {**dict.fromkeys(done, "done before"), **_sources(event.reused)}
                self._rows = {
                    s: Row(State.REUSED, note=notes[s]) if s in notes else Row() for s in steps
                }
            case ExecutionEnded():
                pass
            case _:
                row = self._rows.get(event.step, Row())
                self._rows[event.step] = self._changed(row, event)

    def _changed(
        self,
        row: Row,
        event: StepStarted | StepRetried | StepNoted | StepProgressed | StepEnded | StepSkipped,
    ) -> Row:
        match event:
            case StepStarted(type=type_name, seconds=seconds):
                return Row(State.RUNNING, type_name, self._clock() - seconds)
            case StepRetried(fault=fault):
                return replace(row, note=f"{fault}, trying again", seen=None)
            case StepNoted(text=text):
                return replace(row, note=text, remark=text)
            case StepProgressed():
                return replace(row, seen=event) if row.state is State.RUNNING else row
            case StepEnded(status=status, seconds=seconds):
                said = "  ".join(filter(None, (note(event), row.remark)))
                return Row(_STATES[status], row.type, None, seconds, said)
            case StepSkipped(because=because):
                return Row(State.SKIPPED, note=because)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the rows within the width, and while it runs within the height, of the terminal."""
        with self._guard:
            title, rows, now = self._title, dict(self._rows), self._clock()
        height = None if self._is_last else console.size.height - 1
        yield from drawn(
            f"{title}  {self._summary(rows, now)}", rows, options.max_width, height, now
        )

    def _summary(self, rows: Mapping[str, Row], now: float) -> str:
        ended = sum(row.state.has_ended for row in rows.values())
        return f"{ended}/{len(rows)} steps  {duration(now - self._began)}"


def _sources(reused: Mapping[str, str]) -> dict[str, str]:
    return {step: f"from {identifier(arn)}" for step, arn in reused.items()}


@contextmanager
def live(stream: TextIO) -> Iterator[Observer]:
    """Show a table of the steps; what a failed step logged last is printed below it."""
    console = Console(file=stream)
    table = Table()
    failed: list[StepEnded] = []
    ended: list[ExecutionEnded] = []

    def observer(event: Event) -> None:
        table.take(event)
        if isinstance(event, StepEnded) and event.status is StepStatus.FAILED:
            failed.append(event)
        if isinstance(event, ExecutionEnded):
            ended.append(event)

    with Live(table, console=console, refresh_per_second=8, vertical_overflow="crop"):
        try:
            yield observer
        finally:
            table.finish()
    for event in failed:
        _print_failure(console, event)
    for end in ended:
        console.print(f"{end.status} in {duration(end.seconds)}", highlight=False)


def _print_failure(console: Console, event: StepEnded) -> None:
    """Print what the row of a failed step has no room for."""
    remarked = remarks(event.reason)
    if event.log_tail or remarked:
        console.print(Text(escaped(f"\n{event.step}"), "red"))
    for line in event.log_tail:
        console.print(Text(f"  | {log_line(line)}", "dim"), soft_wrap=True)
    for text in remarked:
        console.print(Text(f"  {escaped(text)}"), soft_wrap=True)
