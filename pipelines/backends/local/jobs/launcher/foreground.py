"""One host of a job at the tool's own terminal, without a launcher: isolated, then replaced.

The tool starts it with `subprocess`, so that it stays in the terminal's session and Ctrl-C reaches
it; it becomes the job's main process.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import NoReturn

from pipelines.backends.local.jobs.launcher import namespaces, processes


def main() -> NoReturn:
    """Carry out the order in the first argument: that of `host.launch`, without a log."""
    order = json.loads(sys.argv[1])
    process, words = order["process"], order["words"]
    try:
        os.chdir(process["folder"])
        if order["isolation"] == "namespaces":
            namespaces.isolate(**order["host"])
    except OSError as error:
        sys.exit(f"algo-1 could not be set up: {error.filename}: {error.strerror}")
    processes.die_with_parent(signal.SIGTERM)
    try:
        os.execvpe(words[0], words, process["environment"])  # noqa: S606 - what a launcher does
    except OSError as error:
        sys.exit(f"the program could not be started: {words[0]!r}: {error.strerror}")
    except ValueError as error:  # a NUL or a lone surrogate, which JSON can hold
        sys.exit(f"the program could not be started: {words[0]!r}: {error}")
