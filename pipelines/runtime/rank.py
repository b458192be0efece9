"""One process of an MPI job → the user's command in the environment of its host.

Read from the bundle by what mpirun starts on every host: it imports nothing of ours.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

PLANS, SCRIPT = "PIPELINES_MPI_PLANS", "PIPELINES_MPI_RANK"
"""The plans of the hosts that are one machine to mpirun, as JSON: the processes of each, and the
file. And where this file is. A daemon passes its variables on to its ranks."""
RANK = "OMPI_COMM_WORLD_RANK"
_LOCAL_RANK = "OMPI_COMM_WORLD_LOCAL_RANK"
_OURS = "PIPELINES_MPI_"
_TORCH = {
    "RANK": RANK,
    "WORLD_SIZE": "OMPI_COMM_WORLD_SIZE",
    "MASTER_ADDR": "SM_MASTER_ADDR",
    "MASTER_PORT": "SM_MASTER_PORT",
}


def main() -> None:
    """Execute the command of this host's plan."""
    local = int(os.environ[_LOCAL_RANK])
    for processes, plan in json.loads(os.environ[PLANS]):
        if local < processes:
            _execute(Path(plan), {"LOCAL_RANK": str(local), "LOCAL_WORLD_SIZE": str(processes)})
        local -= processes


def _execute(plan: Path, local: dict[str, str]) -> None:
    argv, environment, folder = json.loads(plan.read_text(encoding="utf-8"))
    outer = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    merged = {**outer, **local, **environment}
    for name, source in _TORCH.items():
        if source in merged:
            merged.setdefault(name, merged[source])
    os.chdir(folder)
    os.execvpe(argv[0], argv, merged)  # noqa: S606 - deliberately without a shell


if __name__ == "__main__":
    main()
