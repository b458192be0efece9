"""One process of an MPI job → the user's command in the environment of its host.

Copied from the bundle and started by mpirun on every host: it imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

PLAN = "plan.json"
_RANK = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")
_TORCH = {
    "RANK": "OMPI_COMM_WORLD_RANK",
    "WORLD_SIZE": "OMPI_COMM_WORLD_SIZE",
    "LOCAL_RANK": "OMPI_COMM_WORLD_LOCAL_RANK",
    "MASTER_ADDR": "SM_MASTER_ADDR",
    "MASTER_PORT": "SM_MASTER_PORT",
}


def main() -> None:
    """Execute the command; mpirun places ranks by slot, so the rank determines the host."""
    processes = int(sys.argv[1])
    rank = next(int(os.environ[name]) for name in _RANK if name in os.environ)
    plan = Path(__file__).parent / str(rank // processes) / PLAN
    argv, environment, folder = json.loads(plan.read_text(encoding="utf-8"))
    merged = {**os.environ, **environment}
    for name, source in _TORCH.items():
        if source in merged:
            merged.setdefault(name, merged[source])
    os.chdir(folder)
    os.execvpe(argv[0], argv, merged)  # noqa: S606 - deliberately without a shell


if __name__ == "__main__":
    main()
