from __future__ import annotations

import signal
from pathlib import Path

import pytest

from pipelines.runtime.child import Ended
from pipelines.runtime.failure import LIMIT, program_reason, reason, write

CODE = Path("/tmp/scratch/code")  # noqa: S108 - only a name here
TORCHRUN = """\
E1122 failed (exitcode: 1) local_rank: 1 (pid: 12) of binary: python3
Traceback (most recent call last):
  File "/lib/torch/distributed/run.py", line 1, in main
    run(args)
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
Root Cause (first observed failure):
[0]:
  time      : 2026-11-22_00:00:00
  rank      : 1 (local_rank: 1)
  exitcode  : EXITCODE (pid: 12)
  traceback : To enable traceback see: https://pytorch.org/docs
"""


def traceback(error: str, prefix: str = "") -> str:
    """The traceback of a script of the bundle."""
    lines = [
        "Traceback (most recent call last):",
        f'  File "{CODE}/train.py", line 2, in <module>',
        "    train()",
        error,
    ]
    return "".join(f"{prefix}{line}\n" for line in lines)


def why(tail: str, code: int = 1, stopped: int | None = None) -> str:
    """The reason for a child that ended so."""
    return reason(Ended(code, tail, stopped), CODE)


def test_the_last_exception_of_a_chain_is_the_reason() -> None:
    """`raise … from …` prints the cause first; the user's own words come last."""
    chained = (
        traceback("KeyError: 'a'")
        + "\nThe above exception was the direct cause of the following exception:\n\n"
        + traceback("RuntimeError: no such column\nlook at the docs")
    )
    assert why(chained) == (
        "RuntimeError: no such column\nlook at the docs\n"
        '  File "train.py", line 2, in <module>\n    train()'
    )


def test_torchrun_does_not_hide_the_rank_that_failed() -> None:
    """The traceback of torchrun follows the rank's; PyTorch marks the lines of a rank."""
    mixed = traceback("ValueError: the loss is not a number", "[rank1]: ")
    assert why("step 1\n" + mixed + TORCHRUN).startswith("rank 1: ValueError: the loss is not")


def test_a_rank_that_lost_its_peer_is_not_the_cause() -> None:
    """The others fail a moment later with a connection that was closed."""
    lost = traceback("RuntimeError: Connection closed by peer [127.0.0.1]:2", "[rank0]: ")
    own = traceback("ValueError: mine", "[rank1]: ")
    assert why(own + lost + TORCHRUN).startswith("rank 1: ValueError: mine")
    assert why(lost + TORCHRUN).startswith("rank 0: RuntimeError: Connection closed by peer")


@pytest.mark.parametrize(
    ("code", "first"),
    [("3 ", "rank 1: exit code 3"), ("-9", "rank 1: killed by SIGKILL; out of memory?")],
)
def test_a_rank_without_a_traceback_is_read_from_the_report_of_torchrun(
    code: str, first: str
) -> None:
    """An exit code or a signal of a rank is only there."""
    assert why(TORCHRUN.replace("EXITCODE", code)).splitlines()[0] == first


def test_a_killed_rank_is_the_cause_and_not_the_tracebacks_of_those_that_lost_it() -> None:
    """Out of memory leaves no word of its own; torchrun knows who ended first."""
    lost = traceback("RuntimeError: [pair.cc:537] Connection reset by peer", "[rank0]: ")
    killed = TORCHRUN.replace("EXITCODE", "-9")
    assert why(lost + killed).startswith("rank 1: killed by SIGKILL; out of memory?\n")


def test_a_rank_that_was_aborted_on_its_way_out_failed_for_what_it_had_raised() -> None:
    """A thread that outlives the interpreter aborts the process after it has said why."""
    own = traceback("ValueError: the loss is not a number", "[rank1]: ")
    other = traceback("ValueError: another", "[rank0]: ")
    aborted = TORCHRUN.replace("EXITCODE", "-6")
    assert why(own + other + aborted).startswith("rank 1: ValueError: the loss is not a number")
    assert why(other + aborted).startswith("rank 1: killed by SIGABRT")
    assert why(traceback("KeyError: 'a'"), code=-6).startswith("KeyError: 'a'")


MPI_4 = """\
mpirun detected that one or more processes exited with non-zero status, thus causing
the job to be terminated. The first process to do so was:

  Process name: [[27420,1],2]
  Exit code:    EXITCODE
"""
MPI_5 = """\
prterun detected that one or more processes exited with non-zero status,
thus causing the job to be terminated. The first process to do so was:

   Process name: [prterun-algo-1-26279@1,2]
   Exit code:    EXITCODE
"""
KILLED = (
    "prterun noticed that process rank 2 with PID 7 on node algo-2 exited on signal 9 (Killed).\n"
)
ABORTED = "MPI_ABORT was invoked on rank 2 in communicator MPI_COMM_WORLD\n"
BLAMED = 'prterun has exited due to process rank 0 with PID 0 on node algo-1 calling\n"abort".\n'


@pytest.mark.parametrize("report", [MPI_4, MPI_5])
def test_the_rank_that_ended_first_is_read_from_the_report_of_mpirun(report: str) -> None:
    """Its exit code, or its traceback, which has no mark of a rank."""
    assert why(report.replace("EXITCODE", "3"), 3).startswith("rank 2: exit code 3\n")
    raised = why(traceback("ValueError: no") + report.replace("EXITCODE", "1"))
    assert raised.startswith("rank 2: ValueError: no\n")


def test_a_rank_that_lost_its_peer_is_not_blamed_as_mpirun_does() -> None:
    """The abort of mpi4py names the rank that raised; without one nobody is named."""
    for blank in range(KILLED.count(" ")):  # mpirun breaks its lines where they get too long
        words = KILLED.split(" ")
        broken = " ".join(words[: blank + 1]) + "\n" + " ".join(words[blank + 1 :])
        assert why(broken, -9).startswith("rank 2: killed by SIGKILL; out of memory?")
    assert why(traceback("ValueError: no") + ABORTED + BLAMED).startswith("rank 2: ValueError: no")
    assert why(BLAMED, -9).startswith("killed by SIGKILL")
    report = f"{'-' * 74}\n{ABORTED}  Proc: [[54716,1],2]\n"
    assert why(traceback("ValueError: no") + report).startswith("rank 2: ValueError: no\n  File")


def test_a_traceback_counts_only_for_exit_code_1() -> None:
    """A script that printed a traceback, went on, and left with 3, left with 3."""
    assert why(traceback("KeyError: 'a'") + "giving up\n", code=3).startswith("exit code 3\n")


def test_a_traceback_may_begin_behind_other_output() -> None:
    """A prompt or a progress bar leaves its line open."""
    assert why("epoch 1: 50%" + traceback("KeyError: 'a'")).startswith("KeyError: 'a'\n")


def test_an_exception_group_is_named_with_its_first_exception() -> None:
    """Python prints a group indented, behind bars."""
    lines = [
        "  + Exception Group Traceback (most recent call last):",
        f'  |   File "{CODE}/train.py", line 2, in <module>',
        "  |     train()",
        "  | ExceptionGroup: two hosts failed (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
        "    | ValueError: a",
        "    +---------------- 2 ----------------",
    ]
    text = why("\n".join(lines))
    assert text.startswith("ExceptionGroup: two hosts failed (2 sub-exceptions)\n")
    assert "ValueError: a" in text


def test_the_words_of_a_program_are_kept_whole_and_a_bug_of_it_is_still_found() -> None:
    """A list of twenty broken expectations is not cut after the lines of an exception."""
    listed = "".join(f"- expectation {number}\n" for number in range(20))
    ended = Ended(1, f"checking\npipelines: 20 are not met\n{listed}", None)
    assert program_reason(ended, CODE) == f"20 are not met\n{listed}".strip()
    bug = Ended(1, traceback("KeyError: 'a'"), None)
    assert program_reason(bug, CODE).startswith("KeyError: 'a'\n")


def test_an_unknown_signal_is_a_number_and_a_stop_is_a_stop() -> None:
    """No reason is ever missing."""
    assert why("", code=-63) == "killed by signal 63"
    assert why("x\n", code=-15, stopped=signal.SIGTERM) == "stopped by SIGTERM"


def test_the_end_of_long_output_is_kept_and_progress_bars_are_not() -> None:
    """What matters stands at the end; of a line rewritten in place the last state counts."""
    tail = "".join(f"line {number}\n" for number in range(1000)) + "10%\r50%\r100% done\n"
    text = why(tail, code=2)
    assert text.startswith("exit code 2\nThe output ended with:\n…")
    assert text.endswith("line 999\n100% done")
    assert len(text.encode()) <= LIMIT


def test_a_failure_file_holds_utf8_whatever_was_said(tmp_path: Path) -> None:
    """Not UTF-8 would fail the processing job once more (FACTS 11.5)."""
    write(tmp_path / "output" / "failure", "\ud800" + "漢" * 1000)
    data = (tmp_path / "output" / "failure").read_bytes()
    assert len(data) <= LIMIT
    assert data.decode("utf-8").startswith("?漢")


def test_what_the_job_wrote_itself_comes_first(tmp_path: Path) -> None:
    """FACTS 3.4: the failure file is the script's to write; the runtime only adds to it."""
    (tmp_path / "failure").write_text("no rows for March\n")
    write(tmp_path / "failure", "exit code 3")
    assert (tmp_path / "failure").read_text() == "no rows for March\nexit code 3"
