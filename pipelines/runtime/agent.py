"""Open MPI's launcher agent: `agent.py HOST WORDS…` has the runtime of a host start a daemon.

Copied from the bundle and started by mpirun as it would start ssh: it imports nothing of ours. The
host knows the agent by a token that it gave to the master, and by the key of the job where the
platform has set one.
"""

from __future__ import annotations

import hmac
import json
import os
import socket
import sys

DOORS = "PIPELINES_MPI_DOORS"
"""Host → the address, port and token of its door, as JSON."""
KEY = "PIPELINES_JOB_KEY"
"""A secret that all hosts of a local job have, and nobody else on the machine."""


def proof(key: str, token: str, command: str) -> str:
    """Return what only somebody who has the key can say with a command."""
    return hmac.new(key.encode(), f"{token}\n{command}".encode(), "sha256").hexdigest()


def main() -> int:
    """Send the command to the host; return its exit code when it has ended."""
    host, command = sys.argv[1], " ".join(sys.argv[2:])
    address, port, token = json.loads(os.environ[DOORS])[host]
    said = proof(os.environ.get(KEY, ""), token, command)
    with socket.create_connection((address, port)) as connection:
        connection.sendall(json.dumps([command, said]).encode() + b"\n")
        with connection.makefile() as answers:
            answer = answers.readline()
    if answer.strip() != "0":
        print(f"pipelines: the daemon of mpirun on {host} has failed", file=sys.stderr)
    return int(answer or 1)


if __name__ == "__main__":
    sys.exit(main())
