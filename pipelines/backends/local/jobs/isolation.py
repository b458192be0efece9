"""Which way this machine gives a job its /opt/ml, and why; tried once, by a real launcher."""

from __future__ import annotations

import functools
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pipelines.backends.local.jobs.launcher import client
from pipelines.backends.local.jobs.spec import IsolationMode, JobRefusedError
from pipelines.frozen import frozen

_TRYING = threading.Lock()


@frozen
class IsolationReport:
    """The mode in use and the reason for it, as a sentence without a full stop."""

    which: IsolationMode
    why: str


def probe() -> IsolationReport:
    """Find out whether this process may create the namespaces that a job needs; tried once."""
    with _TRYING:
        return _try()


@functools.cache
def _try() -> IsolationReport:
    if sys.platform != "linux":
        return IsolationReport("rewrite", "this system has no Linux namespaces")
    with tempfile.TemporaryDirectory() as folder:
        kind, problem = client.try_namespaces(Path(folder))
    if kind == "exit":
        return IsolationReport("namespaces", "this user may create user and mount namespaces")
    problem = problem or "the launcher gave no result"
    return IsolationReport("rewrite", f"namespaces are not available here ({problem})")


def warm_up(wanted: Literal["auto", "namespaces", "rewrite"]) -> None:
    """Prepare for the first job while the caller is busy with something else.

    The fork server is started, and the isolation mode of this machine is determined.
    """
    client.start_fork_server()
    if wanted != "rewrite":
        threading.Thread(target=_probe_ahead, name="isolation").start()


def _probe_ahead() -> None:
    with suppress(OSError):  # no process to spare, for example: the job's own probe reports it
        probe()


def choose(wanted: Literal["auto", "namespaces", "rewrite"]) -> IsolationReport:
    """Decide how jobs are isolated.

    Raises:
        JobRefusedError: namespaces are required and not available.
    """
    if wanted == "rewrite":
        return IsolationReport("rewrite", "the settings ask for rewritten paths")
    report = probe()
    if wanted == "namespaces" and report.which != "namespaces":
        raise JobRefusedError(
            f"isolation `namespaces` is set, but {report.why}", "set isolation to `rewrite`"
        )
    return report
