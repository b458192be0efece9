"""What a job used, as its runtime writes it at the end of the log."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from pipelines.runtime import gpu, usage
from pipelines.runtime.bundle import Job
from pipelines.runtime.child import Ended
from pipelines.runtime.container import Container, Hosts
from pipelines.runtime.usage import TAG
from pipelines.runtime.usage import _step_seconds as step_seconds

Start = Callable[..., "Popen[str]"]

WORK = """\
import os, sys, time
data = bytearray(200 * 2**20)
with open(os.environ["DATA"], "rb") as file:
    while file.read(2**20):
        pass
until = time.process_time() + 0.3
while time.process_time() < until:
    pass
print("\\r 50%| | 5/10 [00:01<00:01, 4.00it/s]", end="")
sys.exit(int(os.environ["CODE"]))
"""


@pytest.mark.usefixtures("every_python")
@pytest.mark.parametrize("code", [0, 3])
def test_the_line_says_what_the_script_used_however_it_ended(
    start: Start, tmp_path: Path, code: int
) -> None:
    """On a line of its own, after the script's output and before what is said of a failure."""
    (tmp_path / "data").write_bytes(bytes(40 * 2**20))
    process = start(WORK, DATA=str(tmp_path / "data"), CODE=str(code))
    assert process.stdout is not None
    log = process.stdout.read()
    assert process.wait() == code
    (line,) = [one for one in log.split("\n") if one.startswith(TAG)]
    used = json.loads(line[len(TAG) :])
    assert (used["host"], used["rank"], used["local_rank"], used["processes"]) == (
        "algo-1",
        0,
        0,
        1,
    )
    assert used["cpu_s"] >= 0.3
    assert used["wall_s"] > 0
    assert 200 <= used["memory_mb"] <= used["memory_of_mb"]
    assert used["cpus"] == os.cpu_count()
    assert used["step_s"] == 0.25
    assert used["read_mb"] >= 40
    assert "gpus" not in used
    assert ("the job failed: exit code 3" in log.partition(TAG)[2]) == (code == 3)


@pytest.mark.parametrize(
    ("tail", "seconds"),
    [
        ("100%| 10/10 [00:05<00:00, 2.00it/s]", 0.5),
        ("100%| 10/10 [00:05<00:00, 2.50s/it]", 2.5),
        ("1/1 - 0s 12ms/step - loss: 0.1", 0.012),
        ("4.00it/s then 8.00it/s", 0.125),
        ("0.00it/s", None),
        ("epoch 3/10 loss=0.4", None),
        ("", None),
    ],
)
def test_step_times_are_those_of_the_last_bar(tail: str, seconds: float | None) -> None:
    """Only where the log has one."""
    assert step_seconds(tail) == seconds


def ranks(folder: Path, launcher: str, processes: int, gpus: str = "") -> list[dict[str, Any]]:
    """Return the lines of a host whose ranks have left what is in a folder."""
    sampler = None
    if gpus:
        (folder / "gpus.csv").write_text(gpus)
        sampler = gpu.Sampler(Popen([sys.executable, "-c", ""]), str(folder / "gpus.csv"))
        sampler.process.wait()
    keys = {"launcher": launcher, "processes_per_host": processes}
    job = Job("s", "training", "a.py", None, {}, None, keys)
    hosts = Hosts("algo-2", ("algo-1", "algo-2"), "ml.g5.xlarge", "eth0", {})
    container = Container("job", hosts, {}, {}, {}, {}, isolated=False)
    begun = usage.Begun(0.0, 0.0, 0, sampler)
    with contextlib.redirect_stdout(io.StringIO()) as written:
        usage.report(begun, job, container, Ended(1, "2.00it/s", None), folder)
    start, *lines = written.getvalue().splitlines()
    assert start == ""
    return [json.loads(one[len(TAG) :]) for one in lines]


def test_each_rank_has_a_line_with_its_own_gpu(tmp_path: Path) -> None:
    """In their order; without one GPU for each the first line has all of the host's."""
    for one in (10, 9):
        measured = {"wall_s": 5.0 + one, "cpu_s": 1.0, "memory_mb": one, "read_mb": 7}
        text = json.dumps({"rank": one, "local_rank": one - 9, **measured})
        (tmp_path / f"{one}.json").write_text(text)
    found = ranks(tmp_path, "torchrun", 2, "0, 80, 1, 9\n1, 40, 2, 9\n")
    shown = ["rank", "local_rank", "memory_mb", "wall_s", "host", "processes", "launcher"]
    assert [[one[name] for name in shown] for one in found] == [
        [9, 0, 9, 14.0, "algo-2", 2, "torchrun"],
        [10, 1, 10, 15.0, "algo-2", 2, "torchrun"],
    ]
    assert [one["gpus"]["busy_percent"] for one in found] == [80.0, 40.0]
    assert [one.get("step_s") for one in found] == [0.5, None]
    shared = ranks(tmp_path, "torchrun", 2, "0, 80, 1, 9\n")
    assert [one.get("gpus", {}).get("count") for one in shared] == [1, None]


def test_what_a_killed_rank_used_is_left_out(tmp_path: Path) -> None:
    """It has begun, and nobody saw its end; where none has begun the host's line is all."""
    (tmp_path / "4.json").write_text('{"rank": 4, "local_rank": 0}')
    (tmp_path / "5.json").write_text('{"rank": 5, "loc')
    (line,) = ranks(tmp_path, "mpi", 2)
    assert line["rank"] == 4
    assert line["wall_s"] > 0
    assert not {"cpu_s", "memory_mb", "read_mb"} & line.keys()
    (whole,) = ranks(tmp_path / "none", "mpi", 2)
    assert whole["processes"] == 2
    assert {"cpu_s", "memory_mb"} <= whole.keys()
    assert "local_rank" not in whole


def test_gpus_are_those_that_nvidia_smi_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mean load over all samples and GPUs, greatest memory; what cannot be read is left out."""
    tool = tmp_path / "nvidia-smi"
    lines = "0, 80, 1000, 24576\\n1, 40, 3000, 24576\\n0, 90, 1200, 24576\\n1, [N/A], 1, 1\\n0, 1"
    tool.write_text(f"#!/bin/sh\nprintf '{lines}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    sampler = gpu.sample(str(tmp_path))
    assert sampler is not None
    sampler.process.wait()
    assert sampler.result() == {
        "count": 2,
        "busy_percent": 70.0,
        "memory_mb": 3000,
        "memory_of_mb": 24576,
    }
    assert sampler.result(1) == {
        "count": 1,
        "busy_percent": 40.0,
        "memory_mb": 3000,
        "memory_of_mb": 24576,
    }
    (tmp_path / "gpus.csv").write_text("")
    assert sampler.result() is None
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert gpu.sample(str(tmp_path)) is None
