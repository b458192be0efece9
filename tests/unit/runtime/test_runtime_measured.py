"""What stands between a launcher and a rank: seen by nobody, but for the file that it writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.runtime import measured
from pipelines.runtime.command import measured_rank

pytestmark = pytest.mark.usefixtures("every_python")

COMPUTE = """\
import os, sys, time
print("PIPELINES_RANK" in os.environ, sys.argv[1:])
sys.stdout.flush()
os.write(2, b"then this\\n")
data = bytearray(100 * 2**20)
with open("data", "rb") as file:
    while file.read(2**20):
        pass
until = time.process_time() + 0.2
while time.process_time() < until:
    pass
"""
WAITS = """\
import os, signal, sys
got = []
signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))
print(os.getpid(), flush=True)
while not got:
    signal.pause()
print("saved", len(got), flush=True)
sys.exit(5)
"""


Rank = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def rank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rank]:
    """Start a script as a launcher would start a rank of it."""
    started: list[subprocess.Popen[str]] = []
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("LOCAL_RANK", "1")

    def start(script: str, *words: str) -> subprocess.Popen[str]:
        started.append(start_rank(tmp_path, script, *words))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def start_rank(folder: Path, script: str, *words: str) -> subprocess.Popen[str]:
    """Start what a launcher starts."""
    (folder / "data").write_bytes(bytes(30 * 2**20))
    runtime = folder / "tool" / "pipelines" / "runtime"
    runtime.mkdir(parents=True)
    (runtime / "measured.py").write_bytes(Path(measured.__file__).read_bytes())
    argv, told = measured_rank(sys.executable, [sys.executable, "-c"], [script, *words], folder)
    return subprocess.Popen(
        argv, cwd=folder, env={**os.environ, **told}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def record(folder: Path) -> dict[str, float]:
    """Return what is known of the rank."""
    found: dict[str, float] = json.loads((folder / "ranks" / "3.json").read_text())
    return found


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise ValueError('no')", 1),
        ("os.kill(os.getpid(), 9)", -9),
        ("os.kill(os.getpid(), 11)", -11),
    ],
)
def test_a_rank_ends_as_without_it_and_what_it_used_is_known(
    rank: Rank, tmp_path: Path, end: str, code: int
) -> None:
    """Its code or its signal, its output in order, its arguments, and no variable of ours."""
    process = rank(COMPUTE + end, "a b", "--ü")
    assert process.stdout is not None
    first, second, *_ = process.stdout.read().splitlines()
    assert (first, second) == ("False ['a b', '--ü']", "then this")
    assert process.wait() == code
    used = record(tmp_path)
    assert (used["rank"], used["local_rank"]) == (3, 1)
    assert used["wall_s"] >= used["cpu_s"] - 0.01
    assert used["cpu_s"] >= 0.2
    assert 100 <= used["memory_mb"] < 200
    if sys.platform == "linux":
        assert 30 <= used["read_mb"] < 60


def test_a_signal_reaches_the_rank_once_and_the_rank_decides(rank: Rank) -> None:
    """Whether it is sent to the process, as older torchruns do, or to its group."""
    process = rank(WAITS)
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGTERM)
    assert process.stdout.read() == "saved 1\n"
    assert process.wait() == 5


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl")
def test_a_rank_dies_with_what_its_launcher_kills(rank: Rank, tmp_path: Path) -> None:
    """Its file then says only that it has begun."""
    process = rank(WAITS)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    assert process.stdout.read() == ""  # the end of all that had it open
    assert record(tmp_path) == {"rank": 3, "local_rank": 1}
    process.wait()


LEAVES = """\
import os, subprocess, sys
for _ in range(2):
    subprocess.Popen(["sleep", "600"], start_new_session=True)
subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600"])
sys.exit(4)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl")
def test_what_a_rank_of_mpirun_leaves_behind_ends_with_it(
    rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else mpirun would wait for them, which have the log open, as long as they run."""
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "3")
    process = rank(LEAVES)
    assert process.stdout is not None
    assert process.stdout.read() == ""  # the end of all that had it open
    assert process.wait() == 4


def test_an_interrupt_that_waits_as_the_rank_starts_ends_it_as_one() -> None:
    """Python's own handler would raise it in what becomes the rank, which then cannot start."""
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.kill(os.getpid(), signal.SIGINT)
        measured._become(["sleep", "9"], parent, set())
    assert os.waitpid(pid, 0)[1] == signal.SIGINT
