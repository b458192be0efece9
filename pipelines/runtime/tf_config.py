"""Hosts → TF_CONFIG, and the user's command once on each host, which uses all of its GPUs.

The clusters are those of AWS's toolkit (sagemaker-tensorflow-training 20.5.0, `training.py`), so
that scripts written for it run unchanged. Only the ports differ: TensorFlow listens on all
addresses of a machine, and local hosts share one, so that every host has ports of its own.
"""

from __future__ import annotations

import json

from . import child
from .bundle import Job
from .container import Container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PARAMETER_SERVER = "parameter_server"
"""The strategy with processes that hold the variables; the other one mirrors them."""

_FIRST_PORT, _PORTS = 20000, 10000
_OFFSET = 2500  # from the port of the job, which stays free for the user
_PORTS_PER_HOST = 2


def run(job: Job, container: Container, single: child.Command) -> child.Ended:
    """Run `single` with TF_CONFIG, which the user's environment may set; beside it a server."""
    if (job.distribution or {}).get("strategy") != PARAMETER_SERVER:
        return child.run(_with_config(single, mirrored(container)))
    if len(container.hosts.names) == 1:  # as the toolkit: there is nothing to distribute to
        return child.run(single)
    config = with_servers(container)
    starter = single.folder.parent / "tool" / "pipelines" / "runtime" / "parameter_server.py"
    server = {"cluster": config["cluster"], "index": container.hosts.rank}
    python = single.argv[0]
    argv = [python, str(starter), json.dumps(server), *single.argv]
    return child.run(_with_config(single._replace(argv=argv), config))


def mirrored(container: Container) -> dict[str, Any]:
    """Return TF_CONFIG of MultiWorkerMirroredStrategy: every host is a worker."""
    return {
        "cluster": {"worker": _addresses(container)},
        "environment": "cloud",
        "task": {"type": "worker", "index": container.hosts.rank},
    }


def with_servers(container: Container) -> dict[str, Any]:
    """Return TF_CONFIG with parameter servers: the first host is the master, all of them serve."""
    workers, rank = _addresses(container), container.hosts.rank
    task = {"type": "worker", "index": rank - 1} if rank else {"type": "master", "index": 0}
    return {
        "cluster": {
            "master": workers[:1],
            "worker": workers[1:],
            "ps": _addresses(container, server=True),
        },
        "environment": "cloud",
        "task": task,
    }


def _addresses(container: Container, *, server: bool = False) -> list[str]:
    first = container.port - _FIRST_PORT + _OFFSET + int(server)
    names = container.hosts.names
    return [
        f"{name}:{_FIRST_PORT + (first + rank * _PORTS_PER_HOST) % _PORTS}"
        # one host alone need not be found by its name, which a machine of one's own may not know
        for rank, name in enumerate(names if len(names) > 1 else ("127.0.0.1",))
    ]


def _with_config(single: child.Command, config: dict[str, Any]) -> child.Command:
    environment = {"TF_CONFIG": json.dumps(config), **single.environment}
    return single._replace(environment=environment)
