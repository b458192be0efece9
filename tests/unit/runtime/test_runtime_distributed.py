from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from pipelines.runtime.bundle import Job
from pipelines.runtime.command import torchrun
from pipelines.runtime.container import Container, Hosts
from pipelines.runtime.distributed import wait_for_host
from pipelines.runtime.errors import JobError
from pipelines.runtime.mpi import meeting_port, mpirun_arguments
from pipelines.testing.jobs import Jobs


def container(current: str, *names: str) -> Container:
    """What the platform says to one of several hosts."""
    hosts = Hosts(current, names, "ml.g5.xlarge", "eth0", {})
    return Container("a-job", hosts, {}, {}, {}, {}, isolated=False)


def job(launcher: str, processes: int | None) -> Job:
    """A distributed training step."""
    distribution = {"launcher": launcher, "processes_per_host": processes}
    return Job("train", "training", "train.py", None, {}, None, distribution)


def test_one_host_runs_torchrun_standalone() -> None:
    """A single host needs no rendezvous that others could find."""
    argv = torchrun(Path("python3"), job("torchrun", 2), container("algo-1", "algo-1"), ["a.py"])
    assert argv[1:] == ["-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone", "a.py"]


def test_several_hosts_meet_at_the_first_one_at_the_port_of_the_job() -> None:
    """Rank and master come from resourceconfig.json; the port is the same on all hosts."""
    one = torchrun(
        Path("p"), job("torchrun", 1), container("algo-2", "algo-1", "algo-2"), ["a.py", "--x=1"]
    )
    port = container("algo-1", "algo-1").port
    assert 20000 <= port < 30000
    assert one[3:] == [
        "--nproc-per-node=1", "--nnodes=2", "--node-rank=1", "--master-addr=algo-1",
        f"--master-port={port}", "--local-addr=algo-2", "a.py", "--x=1",
    ]  # fmt: skip


def test_mpirun_starts_processes_times_hosts() -> None:
    """`-np` is the whole world; the SDK passes the count of one host (FACTS 3.2)."""
    two = container("algo-1", "algo-1", "algo-2")
    argv = mpirun_arguments(two.hosts, 4, ["python", "start.py"])
    assert argv[argv.index("-np") + 1] == "8"
    assert argv[argv.index("--host") + 1] == "algo-1:4,algo-2:4"
    assert argv[-2:] == ["python", "start.py"]
    assert meeting_port(two) != two.port


def test_a_host_that_cannot_be_found_is_named() -> None:
    """DNS may lag behind, but not for ever."""
    with pytest.raises(
        JobError, match=r"the host no-such-host\.invalid cannot be resolved after 0 s"
    ):
        wait_for_host("no-such-host.invalid", seconds=0)


def test_a_step_that_asks_for_mpi_where_there_is_none_says_so(jobs: Jobs, project: Path) -> None:
    """The failure file names the missing program and the ways out."""
    (project / "train.py").write_text("")
    result = jobs.training("train.py", distribution="mpi", environment={"PATH": "/nowhere"}).run()
    assert result.exit_code == 1
    assert result.failure is not None
    assert "mpirun is not installed here" in result.failure


MPIRUN = """\
#!PYTHON
import os, subprocess, sys
size = int(sys.argv[sys.argv.index("-np") + 1])
start = sys.argv[-3:]
ranks = [
    subprocess.Popen(start, env={**os.environ, "OMPI_COMM_WORLD_RANK": str(rank),
        "OMPI_COMM_WORLD_SIZE": str(size), "OMPI_COMM_WORLD_LOCAL_RANK": str(rank % 2)})
    for rank in range(size)
]
sys.exit(max(rank.wait() for rank in ranks))
"""


@pytest.mark.parametrize("exit_code", [0, 4])
def test_every_mpi_rank_runs_in_the_environment_of_its_host(
    jobs: Jobs, project: Path, tmp_path: Path, exit_code: int
) -> None:
    """Two hosts, four ranks: SM_CURRENT_HOST is right in each; the code reaches both hosts."""
    mpirun = tmp_path / "bin" / "mpirun"
    mpirun.parent.mkdir()
    mpirun.write_text(MPIRUN.replace("PYTHON", sys.executable))
    mpirun.chmod(mpirun.stat().st_mode | stat.S_IXUSR)
    (project / "train.py").write_text(
        "import os, sys\n"
        "e = os.environ\n"
        "host = e['SM_CURRENT_HOST']\n"
        "sys.stdout.write(f\"<{e['RANK']} {e['WORLD_SIZE']} {host} {sys.argv[1:]}>\\n\")\n"
        f"sys.exit({exit_code})\n"
    )
    result = jobs.training(
        "train.py", hosts=2, distribution="mpi", processes_per_host=2,
        hyperparameters={"x": "a b"}, environment={"PATH": f"{mpirun.parent}:/usr/bin:/bin"},
    ).run()  # fmt: skip
    said = sorted(line for line in result.log.splitlines() if line.startswith("<"))
    hosts = ["127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.2"]
    assert said == [f"<{rank} 4 {host} ['--x', 'a b']>" for rank, host in enumerate(hosts)]
    assert result.exit_code == exit_code


ALL_REDUCE = """\
import os, pathlib
import torch, torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([float(os.environ["RANK"]) + 1])
dist.all_reduce(total)
file = pathlib.Path(os.environ["SM_MODEL_DIR"], f"rank-{dist.get_rank()}.txt")
file.write_text(f"{total.item()} {os.environ['SM_CURRENT_HOST']}")
print(f"total={total.item()}")
if os.environ.get("FAIL") == os.environ["RANK"]:
    raise ValueError("the loss is not a number")
dist.barrier()
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_torchrun_joins_two_hosts_and_names_the_rank_that_failed(jobs: Jobs, project: Path) -> None:
    """Two hosts with a root of their own add up their ranks over gloo; then rank 1 fails."""
    (project / "train.py").write_text(ALL_REDUCE)
    result = jobs.training("train.py", hosts=2, distribution="torchrun").run()
    assert result.exit_code == 0, result.log
    assert result.metrics(r"total=([0-9.]+)") == [3.0, 3.0]
    assert (result.model / "rank-0.txt").read_text() == "3.0 127.0.0.1"
    assert (result.model / "rank-1.txt").read_text() == "3.0 127.0.0.2"

    failed = jobs.training(
        "train.py", distribution="torchrun", processes_per_host=2, environment={"FAIL": "1"}
    ).run()
    assert failed.exit_code == 1
    assert failed.failure is not None
    assert failed.failure.startswith("rank 1: ValueError: the loss is not a number"), failed.failure
    assert 'File "train.py", line 10' in failed.failure
