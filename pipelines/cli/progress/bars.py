"""How far running steps are, drawn below a log that is followed on a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from pipelines.cli.progress.layout import Row, State, drawn
from pipelines.execution.activity import Activity
from pipelines.execution.caller import Caller
from pipelines.execution.events import Event, StepProgressed
from pipelines.execution.schedule import ScheduledStep
from pipelines.execution.status import StepStatus
from pipelines.json_types import JsonObject

_RUNNING = frozenset({StepStatus.EXECUTING, StepStatus.STOPPING})
_HEAD = 2
"""The lines of a title, which is not drawn here."""


class Bars:
    """The rows of the running steps of which something is known, as the live table draws them.

    Args:
        caller: where the steps run.
        nodes: the steps of the definition.
        clock: seconds since some moment.
    """

    def __init__(
        self,
        caller: Caller,
        nodes: Mapping[str, ScheduledStep],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._rows: dict[str, Row] = {}
        self._activity = Activity(caller, nodes, self._take)

    def look(self, steps: list[JsonObject]) -> None:
        """Read what the running ones of some steps wrote since the last look."""
        now = {str(one["StepName"]): one for one in steps if one["StepStatus"] in _RUNNING}
        with self._guard:
            kept = {name: row for name, row in self._rows.items() if name in now}
            begun = {name: Row(State.RUNNING, "", self._began(one)) for name, one in now.items()}
            self._rows = {**begun, **kept}
        self._activity.look(steps)

    def _began(self, step: JsonObject) -> float:
        start = step.get("StartTime")
        since = (datetime.now(UTC) - start).total_seconds() if isinstance(start, datetime) else 0.0
        return self._clock() - since

    def _take(self, event: Event) -> None:
        """Note how far a step is; its newest line stands in the log already."""
        if isinstance(event, StepProgressed):
            with self._guard:
                row = self._rows.get(event.step, Row(State.RUNNING, "", self._clock()))
                self._rows[event.step] = replace(row, seen=replace(event, line=""))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw them within the width of the terminal, and half of its height."""
        with self._guard:
            rows = {
                name: row
                for name, row in self._rows.items()
                if row.seen is not None and (row.seen.progress is not None or row.seen.metrics)
            }
        if rows:
            height = max(1, console.size.height // 2) + _HEAD
            yield from drawn("", rows, options.max_width, height, self._clock())[_HEAD:]


@contextmanager
def shown(bars: Bars, stream: TextIO) -> Iterator[Callable[[Text], None]]:
    """Show bars at the end of a terminal; yield what prints a line above them."""
    console = Console(file=stream)
    with Live(
        bars, console=console, refresh_per_second=4, transient=True, vertical_overflow="crop"
    ):
        yield lambda text: console.print(text, soft_wrap=True, highlight=False)
