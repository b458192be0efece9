"""Job and hosts → the argument list that starts the user's code."""

from __future__ import annotations

import json
from pathlib import Path

from . import measured
from .bundle import Job
from .container import Container
from .environment import Scratch, count_gpus, count_neurons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping, Sequence

PROGRAM_MODULE = "pipelines.runtime.program"

RANKS = "ranks"
"""The folder, below the scratch folder, of what each rank has used (`measured.py`)."""


def processes_per_host(job: Job) -> int:
    """Return the step's own number, else that of GPUs, else that of Neuron cores, else 1 (SDK)."""
    given = (job.distribution or {}).get("processes_per_host")
    return int(given) if given else count_gpus() or count_neurons() or 1


def entry(job: Job, scratch: Scratch) -> list[str]:
    """Return what follows the interpreter: the script's path, or the module of a program."""
    if job.script is not None:
        return [str(scratch.code / job.script)]
    return ["-m", PROGRAM_MODULE, str(scratch.folder / "job.json")]


def single(python: Path, job: Job, started: list[str]) -> list[str]:
    """Return the whole command of a process: Python's, or that of the script's own program."""
    return [*job.command, *started] if job.command else [str(python), *started]


def torchrun(python: Path, job: Job, container: Container, command: list[str]) -> list[str]:
    """Prefix the words of a rank with torchrun.

    One host is standalone. Several use static rendezvous: the images resolve their own host
    name only when started as `train` (FACTS 11.9), so nothing may depend on it. PyTorch 1.9 to 1.13
    know options with `_` alone, and no `--local_addr`, which a variable says as well.
    """
    hosts = container.hosts
    launcher = [str(python), "-m", "torch.distributed.run", "--no_python", "--max_restarts=0"]
    launcher.append(f"--nproc_per_node={processes_per_host(job)}")
    if len(hosts.names) == 1:
        return [*launcher, "--standalone", *command]
    return [
        *launcher,
        f"--nnodes={len(hosts.names)}",
        f"--node_rank={hosts.rank}",
        f"--master_addr={hosts.master}",
        f"--master_port={container.port}",
        *command,
    ]


def torchrun_environment(container: Container) -> dict[str, str]:
    """Return what torchrun is told by variables, which older releases do not know."""
    hosts = container.hosts
    return {"PET_LOCAL_ADDR": hosts.current} if len(hosts.names) > 1 else {}


def measured_rank(
    python: str, first: Sequence[str], rest: Sequence[str], scratch: Path
) -> tuple[list[str], dict[str, str]]:
    """Return how a rank is started so that what it uses is written down, and the variable for it.

    Args:
        python: what starts the rank's parent.
        first: the words of the rank that no launcher shows, such as those of Python.
        rest: its other words.
        scratch: the scratch folder of this host.
    """
    (scratch / RANKS).mkdir(exist_ok=True)
    told = [str(source(scratch, "measured.py")), str(scratch / RANKS), list(first)]
    words = [python, "-I", "-S", measured.START, *rest]
    return words, {measured.VARIABLE: json.dumps(told)}


def source(scratch: Path, name: str) -> Path:
    """Return where a file of this runtime has been unpacked."""
    return scratch / "tool" / "pipelines" / "runtime" / name


def master_environment(job: Job, container: Container, given: Mapping[str, str]) -> dict[str, str]:
    """Return where the hosts of a job without a launcher meet, as AWS's PyTorch containers set it.

    Scripts that call `init_process_group` with a rank out of SM_HOSTS rely on it.
    """
    hosts = container.hosts
    if job.distribution or len(hosts.names) == 1:
        return {}
    found = {"MASTER_ADDR": hosts.master, "MASTER_PORT": str(container.port)}
    return {name: value for name, value in found.items() if name not in given}


def collective_environment(container: Container, given: Mapping[str, str]) -> dict[str, str]:
    """Return what binds gloo and NCCL to the platform's network (FACTS 11.9), as far as not given.

    Args:
        container: the platform's configuration.
        given: the job's environment, whose own choice holds.
    """
    hosts = container.hosts
    wanted = {}
    if hosts.interface is not None:
        wanted = {"GLOO_SOCKET_IFNAME": hosts.interface, "NCCL_SOCKET_IFNAME": hosts.interface}
    if len(hosts.names) > 1:
        from .interconnect import fabric  # noqa: PLC0415 - only jobs of several hosts need it

        wanted.update(fabric(hosts.instance_type, len(hosts.names)))
    return {name: value for name, value in wanted.items() if name not in given}
