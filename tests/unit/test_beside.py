"""`make quick` and `make test` run the checks beside the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.everything import ROOT

_SAYS = ("sh", "-c", "echo said by $0; exit $1")


def beside(checks: tuple[str, ...], tests: tuple[str, ...]) -> subprocess.Popen[str]:
    """Start both."""
    words = (sys.executable, "-m", "tools.beside", *checks, "--", *tests)
    quiet = subprocess.DEVNULL
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=quiet, text=True)


@pytest.mark.parametrize(("checks", "tests"), [(0, 0), (3, 0), (0, 4)])
def test_either_that_fails_is_named_and_makes_the_run_fail(checks: int, tests: int) -> None:
    """What both have printed is shown, whichever failed."""
    process = beside((*_SAYS, "checks", str(checks)), (*_SAYS, "tests", str(tests)))
    said, _ = process.communicate(timeout=60)
    assert "said by checks\n" in said
    assert "said by tests\n" in said
    verdicts = [f"checks: {verdict(checks)}", f"tests: {verdict(tests)}"]
    assert said.splitlines()[-2:] == verdicts
    assert process.returncode == int(checks != 0 or tests != 0)


def verdict(exit_code: int) -> str:
    """Return what is said of a command that ended so."""
    return "ok" if exit_code == 0 else f"FAILED with {exit_code}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    """Neither the checks, which have a session of their own, nor the tests."""
    os.mkfifo(tmp_path / "left")
    holds = ("sh", "-c", f"exec 3> {tmp_path}/left; echo started >&3; exec sleep 60")
    process = beside(holds, holds)
    with (tmp_path / "left").open("rb") as left:
        assert [left.readline(), left.readline()] == [b"started\n"] * 2
        process.send_signal(number)
        assert process.wait(30) != 0
        assert left.read() == b"", "the pipe is closed since nobody holds it any more"
    assert process.stdout is not None
    process.stdout.close()
