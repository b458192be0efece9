"""Which way this machine gives a job its /opt/ml, and why. Tried once, by the real launcher."""

from __future__ import annotations

import functools
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipelines.backends.local.jobs import launchers
from pipelines.backends.local.jobs.spec import Isolation, JobRefusedError
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.json_types import JsonObject

_TRYING = threading.Lock()


@frozen
class IsolationReport:
    """The way in use and the reason for it, as a sentence without a full stop."""

    which: Isolation
    why: str


@frozen
class Cell:
    """What a host's launcher isolates.

    Args:
        isolation: the way.
        hostname: the UTS name.
        folder: what becomes /opt/ml.
        hosts: what becomes /etc/hosts.
        network: `shared`; `own`; `lead` for one that others join; or the process id of the
            launcher that leads.
    """

    isolation: Isolation
    hostname: str
    folder: Path
    hosts: Path
    network: str = "shared"

    def order(self, words: Sequence[str], settle: JsonObject | None = None) -> JsonObject:
        """Write what the launcher is told: see its `main`."""
        return {
            "isolation": self.isolation,
            "cell": {
                "hostname": self.hostname,
                "folder": str(self.folder),
                "hosts": str(self.hosts),
                "network": self.network,
            },
            "settle": settle,
            "words": list(words),
        }


def probe() -> IsolationReport:
    """Find out whether this process may make the namespaces a job needs; tried once."""
    with _TRYING:
        return _try()


@functools.cache
def _try() -> IsolationReport:
    if sys.platform != "linux":
        return IsolationReport("rewrite", "this system has no Linux namespaces")
    with tempfile.TemporaryDirectory() as folder:
        hosts = Path(folder, "hosts")
        hosts.touch()
        trial = launchers.launch(Cell("namespaces", "algo-1", Path(folder), hosts).order(()))
        kind, problem = trial.end()
        trial.close()
    if kind == "exit":
        return IsolationReport("namespaces", "this user may make user and mount namespaces")
    problem = problem or "the launcher gave no answer"
    return IsolationReport("rewrite", f"namespaces are not to be had here ({problem})")


def warm_up(wanted: Literal["auto", "namespaces", "rewrite"]) -> None:
    """Get ready for the first job, while the caller is busy with something else.

    The fork server is started, and it is found out what the job will ask: how it is isolated.
    """
    launchers.prepare()
    if wanted != "rewrite":
        threading.Thread(target=_probe_ahead, name="isolation").start()


def _probe_ahead() -> None:
    with suppress(OSError):  # of no process to spare, say: the job that asks again is told
        probe()


def choose(wanted: Literal["auto", "namespaces", "rewrite"]) -> IsolationReport:
    """Decide how jobs are isolated.

    Raises:
        JobRefusedError: namespaces are demanded and cannot be had.
    """
    if wanted == "rewrite":
        return IsolationReport("rewrite", "the settings ask for rewritten paths")
    report = probe()
    if wanted == "namespaces" and report.which != "namespaces":
        raise JobRefusedError(
            f"isolation `namespaces` is set, but {report.why}", "set isolation to `rewrite`"
        )
    return report
