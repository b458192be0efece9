"""What the live table looks like: exact text, at several widths and heights."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from pipelines.cli.progress import following
from pipelines.cli.progress.live import Table
from pipelines.execution.events import (
    Event,
    ExecutionStarted,
    StepEnded,
    StepProgressed,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from pipelines.execution.job_progress import Progress
from pipelines.execution.status import StepStatus

GOLDEN = Path(__file__).parents[2] / "golden" / "live"
STEPS = ("check", "features", "train", "train-wide", "tune", "evaluate", "register", "reject")
METRICS = {"auc": 0.71234, "loss": 0.43, "train-loss": 0.412, "rows": 120_000.0}
ARN = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/flights/execution/xd86kwpgdipo"
BAR = Progress("epoch 3/10", "120/938", 0.128, "14.5it/s")
LONG = "loss went down \x1b[2J\a\u202e 模型训练中 🎉 " + "and the line goes on " * 20
RUN: tuple[Event, ...] = (
    ExecutionStarted("m6ptgqh8a45f", "arn", "flights", STEPS),
    StepStarted("check", "Processing"),
    StepEnded("check", StepStatus.SUCCEEDED, 0.3, cached_from=ARN),
    StepStarted("features", "Processing"),
    StepEnded("features", StepStatus.SUCCEEDED, 12.2),
    StepStarted("train", "Training"),
    StepProgressed("train", LONG, BAR, METRICS),
    StepStarted("train-wide", "Training"),
    StepProgressed("train-wide", "[12]\ttrain-auc:0.81", Progress("round", "12"), {"auc": 0.8}),
    StepStarted("tune", "Tuning"),
    StepRetried("tune", 1, "SageMaker.CAPACITY_ERROR", 2.0),
    StepSkipped("reject", "`good-enough` took the other branch"),
)


class Clock:
    """Stands still."""

    def __call__(self) -> float:
        """Return the same moment."""
        return 64.0


def screen(events: Iterable[Event], width: int, height: int = 50, *, last: bool = False) -> str:
    """Return what a terminal of that size shows."""
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None
    )
    table = Table(Clock())
    for event in events:
        table.take(event)
    if last:
        table.finish()
    with console.capture() as shown:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in shown.get().splitlines())


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_run_at_every_width(width: int, update_golden: bool) -> None:  # noqa: FBT001 - a fixture
    """No line is wider than the terminal, and wide characters take two columns."""
    shown = screen(RUN, width)
    file = GOLDEN / f"{width}.txt"
    if update_golden:
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown, "utf-8")
    assert shown == file.read_text("utf-8")
    assert max(map(cell_len, shown.splitlines())) <= width


def test_nothing_of_a_log_is_obeyed() -> None:
    """Colours, bells, tabs and directions are escapes, whatever the width."""
    shown = screen(RUN, 200)
    assert not {*"\a\x1b\t\u202e"} & {*shown}


def _members(count: int) -> list[Event]:
    names = tuple(f"train-{number:02}" for number in range(count))
    events: list[Event] = [ExecutionStarted("m6ptgqh8a45f", "arn", "flights", names)]
    for name in names[: count // 4]:
        events += [StepStarted(name, "Training"), StepEnded(name, StepStatus.SUCCEEDED, 3.0)]
    for name in names[count // 4 : count // 2]:
        events += [StepStarted(name, "Training"), StepProgressed(name, "a line", BAR, METRICS)]
    return events


@pytest.mark.parametrize("height", [6, 10, 24, 40, 60])
def test_forty_members_stay_within_the_height(height: int, update_golden: bool) -> None:  # noqa: FBT001 - a fixture
    """What says least is folded first; the cursor's line stays free."""
    shown = screen(_members(40), 80, height)
    file = GOLDEN / f"members-{height}.txt"
    if update_golden:
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown, "utf-8")
    assert shown == file.read_text("utf-8")
    assert shown.count("\n") < height


def test_a_failed_step_is_never_folded() -> None:
    """Of forty it is what is looked for."""
    failed: list[Event] = [StepEnded("train-00", StepStatus.FAILED, 3.0, None, "no data")]
    assert "✘ train-00" in screen([*_members(40), *failed], 80, 24)
    assert "no data" in screen([*_members(40), *failed], 80, 6)


def test_the_last_drawing_shows_every_step_and_each_reason_in_full() -> None:
    """It stays on the screen; the terminal scrolls."""
    reason = "AlgorithmError: " + "the column `dep_delay` holds no numbers; " * 4
    failed: list[Event] = [StepEnded("train-20", StepStatus.FAILED, 3.0, None, reason)]
    shown = screen([*_members(40), *failed], 80, 10, last=True)
    assert all(f"train-{number:02}" in shown for number in range(40))
    assert " ".join(shown.split()).count("holds no numbers;") == 4
    assert max(map(cell_len, shown.splitlines())) <= 80


def test_metrics_stay_in_the_row_of_a_training_that_ended() -> None:
    """The last values; a line that comes late changes nothing."""
    ended = StepEnded("train", StepStatus.SUCCEEDED, 64.2, metrics=METRICS)
    late = StepProgressed("train", "late", None, {"auc": 0.1})
    [row] = [line for line in screen([*RUN, ended, late], 80).splitlines() if " train " in line]
    assert row == "✔ train        1m 04s  auc 0.7123  loss 0.43  train-loss 0.412  rows 120000"


def test_what_is_followed_late_shows_how_long_it_has_run() -> None:
    """Not for how long it has been looked at."""
    began: list[Event] = [
        ExecutionStarted("m6ptgqh8a45f", "arn", "flights", ("train",), seconds=4000.0),
        StepStarted("train", "Training", 3720.0),
    ]
    assert screen(began, 80) == (
        "flights  m6ptgqh8a45f  0/1 steps  1h 06m\n\n⠹ train   1h 02m  Training\n"
    )


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Claim it."""
        return True


def test_an_interrupt_leaves_the_terminal_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor is shown again, and the last drawing stays."""
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()

    def interrupted() -> None:
        with following(stream) as observer:
            for event in RUN:
                observer(event)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    written = stream.getvalue()
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")
    assert "evaluate" in written[written.rindex("flights") :]


def test_no_colour_is_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks and bars are told apart by their characters."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    with following(stream) as observer:
        for event in RUN:
            observer(event)
    assert "\x1b[3" not in stream.getvalue().replace("\x1b[3J", "")
    assert "━━" in stream.getvalue()
    assert "──" in stream.getvalue()
