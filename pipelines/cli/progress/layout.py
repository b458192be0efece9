"""Rows of steps → lines of a terminal, within its width and its height.

A running step has up to three lines: how far it is, its metrics, the newest line of its log. Where
the terminal is too low, what says least is folded first: steps that wait, then those that ended
well, then the lines of logs and metrics, and at last running steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from rich.cells import cell_len
from rich.spinner import Spinner
from rich.text import Text

from pipelines.cli.progress.words import duration, metrics_text, progress_text
from pipelines.diagnostics.excerpts import visible
from pipelines.execution.events import StepProgressed
from pipelines.frozen import frozen

_FRAMES: Final = "".join(Spinner("dots").frames)
_FRAMES_A_SECOND: Final = 8
_INDENT: Final = "    "
_TIME: Final = 7
_TYPED: Final = 100
"""From this width on the Types of steps are shown."""


class State(Enum):
    """What is shown of a step: its mark, its style, and how many of them are counted."""

    WAITING = "·", "dim", "waiting"
    RUNNING = "…", "bold", "running"
    SUCCEEDED = "✔", "green", "succeeded"
    REUSED = "✔", "dim green", "done before"
    FAILED = "✘", "red", "failed"
    STOPPED = "■", "yellow", "stopped"
    SKIPPED = "-", "dim", "not run"

    @property
    def mark(self) -> str:
        """What stands before its name."""
        return self.value[0]

    @property
    def style(self) -> str:
        """The style of its mark."""
        return self.value[1]

    @property
    def words(self) -> str:
        """What is said of several of them."""
        return self.value[2]

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to the step."""
        return self not in {State.WAITING, State.RUNNING}


@frozen
class Row:
    """One step.

    Args:
        state: what became of it so far.
        type: its Type.
        began: when it began, by the clock of the table.
        seconds: how long it took.
        note: what is said of it.
        remark: what is said of it in the end, too.
        seen: what its job wrote.
    """

    state: State = State.WAITING
    type: str = ""
    began: float | None = None
    seconds: float | None = None
    note: str = ""
    remark: str = ""
    seen: StepProgressed | None = None


@frozen
class _Detail:
    """How much is shown: which steps are only counted, and how many lines a running one gets."""

    folded: frozenset[State]
    lines: int


_WAITING: Final = frozenset({State.WAITING, State.SKIPPED})
_QUIET: Final = _WAITING | {State.SUCCEEDED, State.REUSED}
_IMPORTANCE: Final = (
    State.FAILED,
    State.STOPPED,
    State.RUNNING,
    State.WAITING,
    State.SUCCEEDED,
    State.REUSED,
    State.SKIPPED,
)
_DETAILS: Final = (
    _Detail(frozenset(), 3),
    _Detail(_WAITING, 3),
    _Detail(_QUIET, 3),
    _Detail(_QUIET, 2),
    _Detail(_QUIET, 1),
)


def drawn(
    title: str, rows: Mapping[str, Row], width: int, height: int | None, now: float
) -> list[Text]:
    """Draw the steps.

    Args:
        title: the line above them.
        rows: the steps in their order.
        width: columns of the terminal.
        height: how many lines there may be; None for all of them, in full.
        now: by the clock of the table.
    """
    pen = _Pen(rows, width, now, is_last=height is None)
    head = [_cut(Text(_plain(title), "bold"), width), Text("")]
    body = list[Text]()
    for detail in _DETAILS:
        body = list(pen.lines(detail))
        if height is None or len(head) + len(body) <= height:
            return head + body
    return head + pen.most_important((height or 0) - len(head))


@dataclass(slots=True)
class _Pen:
    """Draws rows at one moment."""

    rows: Mapping[str, Row]
    width: int
    now: float
    is_last: bool

    def lines(self, detail: _Detail) -> Iterator[Text]:
        """Draw every row, and behind them how many steps of the folded states there are."""
        for step, row in self.rows.items():
            if row.state not in detail.folded:
                yield from self._row(step, row, detail)
        states = [row.state for row in self.rows.values() if row.state in detail.folded]
        if states:
            yield self._counts(states)

    def most_important(self, room: int) -> list[Text]:
        """Draw as many steps as there is room for, what failed first, and count the others."""
        order = sorted(self.rows.items(), key=lambda item: _IMPORTANCE.index(item[1].state))
        shown = order[: max(0, room - 1)]
        hidden = [row.state for _, row in order[len(shown) :]]
        lines = [line for step, row in shown for line in self._row(step, row, _DETAILS[-1])]
        return [*lines, self._counts(hidden)]

    def _counts(self, states: list[State]) -> Text:
        """Count steps that are not shown."""
        counts = [
            f"{state.mark} {states.count(state)} {state.words}".strip()
            for state in _IMPORTANCE
            if state in states
        ]
        return _cut(Text(f"{'   '.join(counts)}", "dim"), self.width)

    def _row(self, step: str, row: Row, detail: _Detail) -> Iterator[Text]:
        head = self._head(step, row)
        room = self.width - head.cell_len
        if row.state is State.RUNNING:
            yield from self._running(head, row, room, detail)
            return
        said = _plain(row.note)
        style = row.state.style if row.state is State.FAILED else "dim"
        if self.is_last and cell_len(said) > room:
            yield head
            yield from self._wrapped(said, style)
        else:
            yield _cut(head.append(said, style), self.width)

    def _running(self, head: Text, row: Row, room: int, detail: _Detail) -> Iterator[Text]:
        seen = row.seen or StepProgressed("")
        metrics = Text(metrics_text(seen.metrics), "cyan")
        shown = self._progress(seen, room)
        if shown.cell_len + metrics.cell_len + 2 <= room or detail.lines == 1:
            gap = "  " if shown and metrics else ""
            shown, metrics = shown.append(gap).append_text(metrics), Text("")
        yield _cut(head.append_text(shown or Text(_plain(row.note or row.type), "dim")), self.width)
        below = [Text(_INDENT).append_text(metrics)] if metrics else []
        if seen.line:
            below.append(Text(f"{_INDENT}{_plain(seen.line)}", "dim"))
        for line in below[: detail.lines - 1]:
            yield _cut(line, self.width)

    def _head(self, step: str, row: Row) -> Text:
        """Draw mark, name, Type where there is room, and time."""
        mark, style = row.state.mark, row.state.style
        running = row.state is State.RUNNING
        frame = _FRAMES[int(self.now * _FRAMES_A_SECOND) % len(_FRAMES)]
        head = Text().append(frame if running else mark, "cyan" if running else style)
        named = Text(_plain(step), style if row.state in {State.RUNNING, State.FAILED} else "")
        head.append(" ").append_text(_cut(named, self._names, pad=True)).append("  ")
        if self.width >= _TYPED:
            head.append_text(_cut(Text(_plain(row.type), "dim"), 14, pad=True)).append("  ")
        seconds = self.now - row.began if row.began is not None else row.seconds
        time = "" if seconds is None else duration(seconds)
        return head.append(time.rjust(_TIME)).append("  ")

    @property
    def _names(self) -> int:
        """The width of the names: as much as they need, at most a third of the line."""
        longest = max((cell_len(_plain(step)) for step in self.rows), default=0)
        return min(longest, max(10, self.width // 3))

    def _progress(self, seen: StepProgressed, room: int) -> Text:
        """Draw a bar, where it is known how far the job is, and what is counted."""
        progress = seen.progress
        if progress is None:
            return Text("")
        shown = Text("")
        if progress.fraction is not None:
            width = max(6, min(24, room // 3))
            full = round(width * progress.fraction)
            shown.append("━" * full, "cyan").append("─" * (width - full), "dim")
            shown.append(f" {progress.fraction:4.0%}  ")
        return shown.append(_plain(progress_text(progress)))

    def _wrapped(self, text: str, style: str) -> Iterator[Text]:
        from rich.console import Console  # noqa: PLC0415 - only for what does not fit

        room = max(20, self.width - len(_INDENT))
        for line in Text(text, style).wrap(Console(width=room), room):
            yield Text(_INDENT).append_text(line)


def _cut(text: Text, width: int, *, pad: bool = False) -> Text:
    text.truncate(width, overflow="ellipsis", pad=pad)
    text.no_wrap = True
    return text


def _plain(text: str) -> str:
    """Write a text of somebody's in one line that a terminal obeys nothing of."""
    return visible(text.replace("\t", "  "), kept="")
