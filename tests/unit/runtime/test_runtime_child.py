from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import IO

import pytest

from pipelines.runtime.usage import TAG

pytestmark = pytest.mark.usefixtures("every_python")

Start = Callable[..., "Popen[str]"]
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl")

HANDLER = """\
import signal, sys, threading
done = threading.Event()
def stop(number, frame):
    print("checkpoint written", flush=True)
    done.set()
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
done.wait()
sys.exit(CODE)
"""


def output(process: Popen[str]) -> IO[str]:
    """The log of a started job."""
    assert process.stdout is not None
    return process.stdout


def written(process: Popen[str]) -> str:
    """All that the script of a started job wrote."""
    return "".join(line for line in output(process) if not line.startswith(TAG))


@pytest.mark.parametrize("code", [0, 5])
def test_sigterm_reaches_the_script_and_its_exit_code_counts(start: Start, code: int) -> None:
    """A script may write a checkpoint on SIGTERM; how it then ends is how the job ends."""
    process = start(HANDLER.replace("CODE", str(code)))
    assert output(process).readline() == "ready\n"
    process.terminate()
    assert "checkpoint written" in output(process).read()
    assert process.wait() == code


def test_a_script_that_ignores_sigterm_is_killed_after_the_grace(start: Start, root: Path) -> None:
    """SageMaker kills after 120 s; the runtime does before, and still leaves the reason."""
    process = start(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\nwhile True:\n    signal.pause()\n",
        PIPELINES_GRACE_SECONDS="0.2",
    )
    assert output(process).readline() == "ready\n"
    process.terminate()
    assert process.wait() == 128 + signal.SIGKILL
    assert (root / "output" / "failure").read_text() == "stopped by SIGTERM"


def test_output_is_passed_on_while_the_script_runs(start: Start) -> None:
    """A line is in the log as soon as it was printed: here the script waits for the reader."""
    process = start("import signal\nprint('first')\nsignal.pause()\n")
    assert output(process).readline() == "first\n"
    assert process.poll() is None


WORKER = """\
import os, subprocess, sys
code = "import os, signal; f = open(os.environ['FIFO'], 'w'); print('open', flush=True)"
code += "; signal.pause()"
worker = subprocess.Popen(
    [sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE
)
worker.stdout.readline()
print("ready", flush=True)
"""


@ON_LINUX
def test_no_process_outlives_the_script(start: Start, tmp_path: Path) -> None:
    """A worker in a session of its own (torchrun's are) ends with the job."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = start(WORKER, FIFO=str(fifo))
    with fifo.open() as held:
        assert written(process) == "ready\n"
        assert process.wait() == 0
        assert held.read() == "", "the end of the fifo comes when the worker has ended"


@ON_LINUX
def test_the_script_dies_with_the_runtime(start: Start, tmp_path: Path) -> None:
    """When the runtime itself is killed, the kernel kills the script."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = start(
        "import os, signal\nf = open(os.environ['FIFO'], 'w')\nsignal.pause()\n", FIFO=str(fifo)
    )
    with fifo.open() as held:
        process.kill()
        assert held.read() == ""


def test_a_script_cannot_read_from_the_terminal(start: Start) -> None:
    """Standard input is empty, as in a container."""
    process = start("import sys\nprint(repr(sys.stdin.read()))\n")
    assert written(process) == "''\n"
