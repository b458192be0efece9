from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from pipelines.runtime.bundle import Job
from pipelines.runtime.command import torchrun, torchrun_environment
from pipelines.runtime.container import Container, Hosts
from pipelines.runtime.distributed import wait_for_host
from pipelines.runtime.errors import JobError
from pipelines.runtime.meeting import meeting_port
from pipelines.runtime.mpi import mpirun_arguments, remote_settings
from pipelines.testing.jobs import Jobs

RUN = ("torch.distributed.run", "--no_python", "--max_restarts=0")


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
    assert argv[1:] == ["-m", *RUN, "--nproc_per_node=2", "--standalone", "a.py"]


def test_several_hosts_meet_at_the_first_one_at_the_port_of_the_job() -> None:
    """Rank and master come from resourceconfig.json; the port is the same on all hosts."""
    one = torchrun(
        Path("p"), job("torchrun", 1), container("algo-2", "algo-1", "algo-2"), ["a.py", "--x=1"]
    )
    port = container("algo-1", "algo-1").port
    assert 20000 <= port < 30000
    assert one[5:] == [
        "--nproc_per_node=1", "--nnodes=2", "--node_rank=1", "--master_addr=algo-1",
        f"--master_port={port}", "a.py", "--x=1",
    ]  # fmt: skip
    assert torchrun_environment(container("algo-2", "algo-1", "algo-2")) == {
        "PET_LOCAL_ADDR": "algo-2"
    }
    assert torchrun_environment(container("algo-1", "algo-1")) == {}


def test_mpirun_starts_the_processes_of_all_hosts() -> None:
    """`-np` is the whole world; the SDK passes the count of one host (FACTS 3.2)."""
    argv = mpirun_arguments(["localhost", "algo-2"], [4, 2])
    assert argv[argv.index("-np") + 1] == "6"
    assert argv[argv.index("--host") + 1] == "localhost:4,algo-2:2"
    two = container("algo-1", "algo-1", "algo-2")
    assert meeting_port(two) != two.port
    own = mpirun_arguments(["localhost"], [2], ["-bind-to", "core", "-x", "A=1"])
    assert own[1:8] == [
        "--allow-run-as-root", "--map-by", "slot", "-bind-to", "core", "-x", "A=1",
    ]  # fmt: skip


def test_mpirun_is_told_in_the_words_of_its_release_how_to_reach_other_hosts() -> None:
    """Open MPI 5 has other names, and takes no loopback interface."""
    hosts = container("algo-1", "algo-1", "algo-2").hosts
    old, new = remote_settings(hosts, 4), remote_settings(hosts, 5)
    assert old["OMPI_MCA_plm_rsh_agent"] == new["PRTE_MCA_plm_ssh_agent"]
    assert old["OMPI_MCA_oob_tcp_if_include"] == new["PRTE_MCA_prte_if_include"] == "eth0"
    assert "PRTE_MCA_prte_if_include" not in remote_settings(hosts._replace(interface="lo"), 5)


def test_a_host_that_cannot_be_found_is_named() -> None:
    """DNS may lag behind, but not for ever."""
    with pytest.raises(
        JobError, match=r"the host no-such-host\.invalid cannot be resolved after 0 s"
    ):
        wait_for_host("no-such-host.invalid", seconds=0)


def test_a_step_that_asks_for_mpi_where_there_is_none_says_so(
    jobs: Jobs, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure file names the missing program and the ways out."""
    monkeypatch.setattr(sys, "executable", str(Path(sys.executable).resolve()))  # none beside it
    (project / "train.py").write_text("")
    result = jobs.training("train.py", distribution="mpi", environment={"PATH": "/nowhere"}).run()
    assert result.exit_code == 1
    assert result.failure is not None
    assert "mpirun is not installed here" in result.failure


MPIRUN = """\
#!PYTHON
import os, subprocess, sys
size = int(sys.argv[sys.argv.index("-np") + 1])
start = sys.argv[-4:]
ranks = [
    subprocess.Popen(start, env={**os.environ, "OMPI_COMM_WORLD_RANK": str(rank),
        "OMPI_COMM_WORLD_SIZE": str(size), "OMPI_COMM_WORLD_LOCAL_RANK": str(rank)})
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
        "local = e['LOCAL_RANK'] + '/' + e['LOCAL_WORLD_SIZE']\n"
        "sys.stdout.write(f\"<{e['RANK']} {e['WORLD_SIZE']} {local} {host} {sys.argv[1:]}>\\n\")\n"
        f"sys.exit({exit_code})\n"
    )
    result = jobs.training(
        "train.py", hosts=2, distribution="mpi", processes_per_host=2,
        hyperparameters={"x": "a b"}, environment={"PATH": f"{mpirun.parent}:/usr/bin:/bin"},
    ).run()  # fmt: skip
    said = sorted(line for line in result.log.splitlines() if line.startswith("<"))
    hosts = ["127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.2"]
    assert said == [
        f"<{rank} 4 {rank % 2}/2 {host} ['--x', 'a b']>" for rank, host in enumerate(hosts)
    ]
    assert result.exit_code == exit_code


def test_mpirun_starts_shell_scripts(jobs: Jobs, project: Path, tmp_path: Path) -> None:
    """As AWS's toolkit; their arguments and exit codes are passed on."""
    mpirun = tmp_path / "mpirun"
    mpirun.write_text(MPIRUN.replace("PYTHON", sys.executable))
    mpirun.chmod(0o755)
    (project / "train.sh").write_text('echo "<$RANK $WORLD_SIZE $@>"; exit $RANK')
    result = jobs.training(
        "train.sh", distribution="mpi", processes_per_host=2, hyperparameters={"x": "a b"},
        environment={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    ).run()  # fmt: skip
    said = sorted(line for line in result.log.splitlines() if line.startswith("<"))
    assert said == ["<0 2 --x a b>", "<1 2 --x a b>"]
    assert result.exit_code == 1


def test_graphs_for_trainium_are_compiled_ahead_where_the_step_asks_for_it(
    jobs: Jobs, project: Path, tmp_path: Path
) -> None:
    """By the switch of AWS's toolkit."""
    tool = tmp_path / "neuron_parallel_compile"
    tool.write_text('#!/bin/sh\nshift; echo "<$1 $2>"\n')
    tool.chmod(0o755)
    (project / "train.py").write_text("")
    environment = {"RUN_NEURON_PARALLEL_COMPILE": "1", "PATH": f"{tmp_path}:/usr/bin:/bin"}
    result = jobs.training("train.py", distribution="torchrun", environment=environment).run()
    assert "<-m torch.distributed.run>" in result.log


RAISES = """\
import os
import torch, torch.distributed as dist
dist.init_process_group("gloo")
if os.environ["RANK"] == "1":
    raise ValueError("the loss is not a number")
dist.barrier()
"""


@pytest.mark.slow
def test_the_rank_that_failed_under_torchrun_is_named(jobs: Jobs, project: Path) -> None:
    """With its own error, not that of the rank that waits for it."""
    (project / "train.py").write_text(RAISES)
    failed = jobs.training("train.py", distribution="torchrun", processes_per_host=2).run()
    assert failed.exit_code == 1
    assert failed.failure is not None
    assert failed.failure.startswith("rank 1: ValueError: the loss is not a number"), failed.failure
    assert 'File "train.py", line 5' in failed.failure
