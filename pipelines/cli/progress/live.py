"""Events as a table that is kept up to date, for terminals."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipelines.cli.printing import escaped, log_line
from pipelines.cli.progress.words import duration, note
from pipelines.execution.events import (
    Event,
    ExecutionEnded,
    ExecutionStarted,
    Observer,
    StepEnded,
    StepNoted,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from pipelines.execution.failure import remarks
from pipelines.execution.identifiers import identifier
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen

_MARKS = {
    StepStatus.SUCCEEDED: ("✔", "green"),
    StepStatus.FAILED: ("✘", "red"),
    StepStatus.STOPPED: ("■", "yellow"),
}


@frozen
class _Row:
    mark: str = "·"
    style: str = "dim"
    type: str = ""
    began: float | None = None
    seconds: float | None = None
    note: str = ""
    remark: str = ""


class _Table:
    """The rows, drawn anew at every refresh."""

    def __init__(self) -> None:
        self._title = ""
        self._rows: dict[str, _Row] = {}

    def take(self, event: Event) -> None:
        match event:
            case ExecutionStarted(execution=execution, pipeline=pipeline, steps=steps, done=done):
                self._title = escaped(f"{pipeline}  {execution}")
                notes = {**dict.fromkeys(done, "done before"), **_sources(event.reused)}
                self._rows = {
                    s: _Row("✔", "dim green", note=notes[s]) if s in notes else _Row()
                    for s in steps
                }
            case StepStarted(step=step, type=type_name):
                self._rows[step] = _Row("", "", type_name, time.monotonic())
            case StepRetried(step=step, fault=fault):
                self._rows[step] = replace(self._rows[step], note=f"{fault}, trying again")
            case StepNoted(step=step, text=text):
                self._rows[step] = replace(self._rows[step], note=text, remark=text)
            case StepEnded(step=step, status=status, seconds=seconds):
                mark, style = _MARKS[status]
                row = self._rows.get(step, _Row())
                said = note(event) or row.remark
                self._rows[step] = _Row(mark, style, row.type, None, seconds, said)
            case StepSkipped(step=step, because=because):
                self._rows[step] = _Row("-", "dim", note=because)
            case ExecutionEnded():
                pass

    def __rich__(self) -> Table:
        table = Table(title=Text(self._title), title_justify="left", box=None, padding=(0, 2, 0, 0))
        for name in ("", "step", "type", "time", ""):
            table.add_column(name, justify="right" if name == "time" else "left")
        for step, row in self._rows.items():
            running = row.began is not None
            seconds = time.monotonic() - row.began if row.began is not None else row.seconds
            table.add_row(
                Spinner("dots", style="cyan") if running else Text(row.mark, row.style),
                Text(escaped(step), "bold" if running else row.style if row.mark == "✘" else ""),
                Text(escaped(row.type), "dim"),
                Text("" if seconds is None else duration(seconds)),
                Text(escaped(row.note), row.style if row.mark == "✘" else "dim"),
            )
        return table


def _sources(reused: Mapping[str, str]) -> dict[str, str]:
    return {step: f"from {identifier(arn)}" for step, arn in reused.items()}


@contextmanager
def live(stream: TextIO) -> Iterator[Observer]:
    """Show a table of the steps; what a failed step logged last is printed below it."""
    console = Console(file=stream)
    table = _Table()
    failed: list[StepEnded] = []
    ended: list[ExecutionEnded] = []

    def observer(event: Event) -> None:
        table.take(event)
        if isinstance(event, StepEnded) and event.status is StepStatus.FAILED:
            failed.append(event)
        if isinstance(event, ExecutionEnded):
            ended.append(event)

    with Live(table, console=console, refresh_per_second=8):
        yield observer
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
