"""What a person sees of an execution: lines anywhere, a table on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from pipelines.cli.progress import following
from pipelines.cli.progress.plain import Lines
from pipelines.cli.progress.words import duration, usage_text
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
from pipelines.execution.job_progress import Progress
from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.execution.usage import GpuUsage, HostUsage, RankUsage

EVENTS: tuple[Event, ...] = (
    ExecutionStarted("abc123def456", "arn", "flights", ("check", "train", "reject"), ("check",)),
    StepStarted("train", "Training"),
    StepNoted("train", "not from the cache"),
    StepRetried("train", 1, "SageMaker.JOB_INTERNAL_ERROR", 2.0),
    StepEnded("train", StepStatus.FAILED, 65.0, None, "no data\nsecond line", ("epoch 1", "oops")),
    StepSkipped("reject", "`train` ended as Failed"),
    ExecutionEnded("abc123def456", ExecutionStatus.FAILED, 66.2, "no data"),
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Claim it."""
        return True


def test_lines_say_what_happened_in_order() -> None:
    """In a file every event is a line; a failed step shows the end of its log."""
    stream = io.StringIO()
    with following(stream) as observer:
        for event in EVENTS:
            observer(event)
    assert stream.getvalue().splitlines() == [
        "flights: execution abc123def456, 1 step is done",
        "  train: started (Training)",
        "  train: not from the cache",
        "  train: SageMaker.JOB_INTERNAL_ERROR, trying again in 2.0s",
        "  train: Failed in 1m 05s: no data",
        "    | epoch 1",
        "    | oops",
        "  reject: not run, `train` ended as Failed",
        "Failed in 1m 06s",
    ]


def test_table_on_a_terminal_ends_with_every_step_and_the_log_of_the_failed_one() -> None:
    """The last drawing holds each step once, with the reason; below stand log lines and the end."""
    stream = Terminal()
    with following(stream) as observer:
        for event in EVENTS:
            observer(event)
    shown = stream.getvalue()
    table, _, rest = shown.rpartition("  | epoch 1")
    assert "✘" in table
    assert "no data" in table
    assert "no data" not in rest
    assert "done before" in table
    assert "`train` ended as Failed" in table
    assert "| oops" in rest
    assert rest.rstrip().endswith("Failed in 1m 06s")


RAISED = "AlgorithmError: algo-2: rank 3: KeyError: 'a'\n  File \"t.py\", line 1, exit code: 1"


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["lines", "table"])
def test_a_reason_that_the_log_ends_with_is_said_there_alone(stream: io.StringIO) -> None:
    """The traceback already has it; where the folder of the job is kept follows."""
    log = ("Traceback (most recent call last):", '  File "t.py", line 1', "KeyError: 'a'")
    reason = f"{RAISED}; its folder is kept: /a/.pipelines/jobs/b"
    with following(stream) as observer:
        observer(ExecutionStarted("abc123def456", "arn", "flights", ("train",)))
        observer(StepStarted("train", "Training"))
        observer(StepEnded("train", StepStatus.FAILED, 1.0, None, reason, log))
    assert stream.getvalue().count("KeyError") == 1
    assert "its folder is kept: /a/.pipelines/jobs/b" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (184, "3m 04s"),
        (3720, "1h 02m"),
    ],
)
def test_durations_are_as_exact_as_a_reader_needs(seconds: float, words: str) -> None:
    """Tenths below ten seconds, seconds below an hour, minutes above."""
    assert duration(seconds) == words


def test_a_file_gets_few_lines_of_what_a_step_writes() -> None:
    """After ten seconds, then when a tenth of its time has passed; bars never fill the file."""
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, lambda: now[0])
    lines(StepStarted("train", "Training"))
    for second in range(3600):
        now[0] = float(second)
        progress = Progress("epoch", f"{second}/3600", second / 3600, "2.1it/s")
        lines(StepProgressed("train", f"line {second}", progress, {"auc": second / 4000}))
    lines(StepEnded("train", StepStatus.SUCCEEDED, 3600.0))
    lines(StepProgressed("train", "late", None, {"auc": 1.0}))
    written = stream.getvalue().splitlines()
    assert written[:3] == [
        "  train: started (Training)",
        "  train: 0%  epoch 10/3600  2.1it/s  auc 0.0025  (10s)",
        "  train: 1%  epoch 20/3600  2.1it/s  auc 0.005  (20s)",
    ]
    assert written[-1] == "  train: Succeeded in 1h 00m"
    assert 30 < len(written) < 60
    assert "\r" not in stream.getvalue()


def test_the_same_is_not_said_twice_in_a_file() -> None:
    """A job that writes no metric and no count is silent, as are lines without either."""
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, lambda: now[0])
    lines(StepStarted("train", "Training"))
    for now[0] in (20.0, 40.0, 60.0):
        lines(StepProgressed("train", f"line {now[0]}"))
        lines(StepProgressed("train", f"line {now[0]}", None, {"auc": 0.5}))
    assert stream.getvalue().count("\n") == 2


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(
    term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Emacs' shell and some build servers are."""
    monkeypatch.setenv("TERM", term)
    stream = Terminal()
    with following(stream) as observer:
        for event in EVENTS:
            observer(event)
    assert stream.getvalue().splitlines()[1] == "  train: started (Training)"
    assert "\x1b" not in stream.getvalue()


def test_what_a_host_used_is_written_in_one_line() -> None:
    """With what is known of it alone."""
    least = HostUsage("algo-1", wall=65.0, cpu=130.0, cpus=4)
    assert usage_text(least) == "used 1m 05s, 50% of 4 CPUs"
    killed = RankUsage("algo-1", 65.0, None, 4, 2, launcher="mpi", rank=3)
    assert usage_text(killed) == "rank 3 was killed: what it used is not known"
    assert usage_text(replace(killed, cpu=65.0)) == "rank 3 used 1m 05s, 25% of 4 CPUs"
    assert usage_text(replace(least, processes=2)) == "used 1m 05s, 50% of 4 CPUs"
    whole = HostUsage(
        "algo-1", 65.0, 130.0, 4, 1, 310.0, 15872.0, 1228.8, 0.25, GpuUsage(2, 71.4, 920.0, 24576.0)
    )
    assert usage_text(whole) == (
        "used 1m 05s, 50% of 4 CPUs, 310 MB of 15.5 GB memory, 1.2 GB read, 0.25 s a step,"
        " 71% of 2 GPUs, 920 MB of 24.0 GB of each"
    )
