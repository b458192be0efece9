"""Ctrl-C and SIGTERM stop a run in an orderly way; `run --resume` goes on."""

from __future__ import annotations

import os
import pty
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.local.e2e.tiny_project import HANG, JOBS, Project
from tests.waiting import SECONDS, until

FAILED = 5
ERASE_LINE = b"\x1b[2K"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_its_jobs(either: Project, number: signal.Signals) -> None:
    """The step is Stopped, not Failed; no process is left; what had succeeded is kept."""
    either.script("train", HANG)
    with either.started("run") as process:
        until(lambda: either.calls()["train"] == 2)
        until(lambda: either.seen()[0].steps.get("aside") == "Succeeded")
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == FAILED, err
    assert f"stopping ({number.name}); its jobs are being stopped" in err
    assert "  train: Stopped in " in out
    assert "failed" not in out
    assert "resume it with `pipelines run --resume " in err
    assert "Traceback" not in out + err
    assert either.leftovers() == []
    (execution,) = either.seen()
    assert execution.status == "Stopped"
    assert execution.steps == {"prepare": "Succeeded", "aside": "Succeeded", "train": "Stopped"}
    Path(f"{either.ran}.go").touch()
    ended = either.run("run", "--resume")
    assert ended.code == 0, ended.text
    assert "2 steps are done" in ended.out
    assert either.calls() == JOBS + Counter({"train": 2})


def test_on_a_terminal_the_word_of_the_stop_stands_above_the_live_table(project: Project) -> None:
    """Written into the table it would be erased by the next drawing, its first row would stay."""
    project.script("train", HANG)
    controller, terminal = pty.openpty()
    with (
        project.started("run", terminal=terminal) as process,
        ThreadPoolExecutor(1) as reader,
    ):
        os.close(terminal)
        shown = reader.submit(_everything, controller)
        until(lambda: project.calls()["train"] == 2)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(SECONDS) == FAILED
        after = shown.result(SECONDS).partition(b"leaves at once")[2]
    assert after.index(b"prepare") < after.index(ERASE_LINE)


def _everything(descriptor: int) -> bytes:
    """Read a terminal to its end, which Linux tells as an error."""
    found = b""
    with suppress(OSError):
        while data := os.read(descriptor, 65536):
            found += data
    os.close(descriptor)
    return found


def test_a_job_that_ignores_sigterm_is_ended_by_a_second_ctrl_c(project: Project) -> None:
    """A user who does not want to wait presses again: everything ends, and can be resumed."""
    project.script("train", "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + HANG)
    with project.started("run") as process:
        until(lambda: project.calls()["train"] == 2)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr is not None
        said = ""
        while "stopping (SIGINT)" not in said:
            said = process.stderr.readline()
            assert said
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert "interrupted; resume it with `pipelines run --resume " in err
    assert "Traceback" not in out + err
    assert process.returncode == 130
    project.wait_for_no_process()
    Path(f"{project.ran}.go").touch()
    ended = project.run("run", "--resume")
    assert ended.code == 0, ended.text
    assert project.calls()["prepare"] == 1
