"""A host's command → the same command beside a parameter server of TensorFlow.

Started as a file by the Python that has TensorFlow: it imports nothing of ours. The servers of a
job are needed until the master has ended, which closes its port.

    python parameter_server.py '{"cluster": …, "index": 0}' COMMAND…
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_PAUSE = 0.5


def main() -> int:
    """Run server and command; return the exit code of what ended the job."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    if len(sys.argv) == 2:
        _serve(given)
    subprocess.Popen([sys.executable, __file__, sys.argv[1]], env=_without_gpus())
    script = subprocess.Popen(sys.argv[2:])
    pid, status = os.wait()
    if pid != script.pid:
        print("pipelines: the parameter server has ended before the script", file=sys.stderr)
        return _exit_code(status) or 1
    code = _exit_code(status)
    if code == 0 and given["index"] > 0:
        _wait_for_the_end(given["cluster"]["master"][0])
    return code


def _serve(given: dict[str, Any]) -> NoReturn:
    """Hold the variables of this host, until this process is killed."""
    import tensorflow as tf  # noqa: PLC0415 - the script's own TensorFlow, in the server alone

    cluster = tf.train.ClusterSpec(given["cluster"])
    server = tf.distribute.Server(cluster, job_name="ps", task_index=given["index"])
    server.join()
    raise SystemExit("the server has stopped")


def _without_gpus() -> dict[str, str]:
    """Return an environment in which the server takes no memory of a GPU, which the script has."""
    return {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}


def _wait_for_the_end(master: str) -> None:
    host, _, port = master.rpartition(":")
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=_PAUSE).close()
        except OSError:
            return
        time.sleep(_PAUSE)


def _exit_code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


if __name__ == "__main__":
    sys.exit(main())
