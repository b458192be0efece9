"""One command → the same command under the launcher of a distributed step."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

from . import child, command
from .bundle import Job
from .container import Container
from .errors import JobError

_DNS_SECONDS = 300.0
_DNS_PAUSE = 1.0
_PRECOMPILING = "RUN_NEURON_PARALLEL_COMPILE"
"""The switch of AWS's toolkit that compiles the graphs for Trainium ahead."""


def launch(launcher: str, job: Job, container: Container, single: child.Command) -> child.Ended:
    """Run `single` as a launcher runs it on this host; raises JobError for an unknown one."""
    if launcher in ("torchrun", "smp"):  # the library reads SM_HP_MP_PARAMETERS in each rank
        if len(container.hosts.names) > 1:
            wait_for_host(container.hosts.master)
        python, *rest = single.argv
        words, variable = command.measured_rank(python, [python, "-u"], rest, single.folder.parent)
        argv = command.torchrun(Path(python), job, container, words)
        if single.environment.get(_PRECOMPILING) == "1":
            argv.insert(0, "neuron_parallel_compile")
        told = command.torchrun_environment(container)
        environment = {**told, **single.environment, **variable}
        return child.run(single._replace(argv=argv, environment=environment))
    if launcher == "mpi":
        from .mpi import run  # noqa: PLC0415 - only MPI steps need it

        return run(job, container, single)
    if launcher == "tensorflow":
        from .tf_config import run as run_with_config  # noqa: PLC0415 - as above

        for name in container.hosts.names if len(container.hosts.names) > 1 else ():
            wait_for_host(name)
        return run_with_config(job, container, single)
    if launcher == "smddp":
        from .smddp import run as run_with_library  # noqa: PLC0415 - as above

        return run_with_library(job, container, single)
    raise JobError(f"the launcher `{launcher}` is unknown: compile the pipeline again")


def wait_for_host(name: str, seconds: float = _DNS_SECONDS) -> None:
    """Wait until a host's name resolves: on the platform DNS may take a while (FACTS 3.4).

    Raises:
        JobError: it does not resolve within the time given.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            socket.getaddrinfo(name, None)
        except OSError as error:
            if time.monotonic() >= until:
                raise JobError(
                    f"the host {name} cannot be resolved after {seconds:g} s: {error}"
                ) from None
            print(f"pipelines: waiting for the host {name} ({error})", file=sys.stderr, flush=True)
            time.sleep(_DNS_PAUSE)
        else:
            return
