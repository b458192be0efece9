"""Where an execution keeps its files: `executions/<id>/<step>/<attempt>/<host>.log` and others."""

from __future__ import annotations

from pathlib import Path

from pipelines.backends.local.kept import openable
from pipelines.execution.failure import excerpt, failed_host

_BYTES = 65_536


def execution_folder(home: Path, execution: str) -> Path:
    """Return the folder of an execution's definition, lock and logs."""
    return home / "executions" / execution


def attempt_folder(home: Path, execution: str, step: str, attempt: int) -> Path:
    """Return the folder of the logs of an attempt at a step."""
    return execution_folder(home, execution) / step / str(attempt)


def log_tail(folder: Path, reason: str | None) -> tuple[str, ...]:
    """Read from an attempt's logs what explains that it failed: `excerpt`.

    Of several hosts `failed_host` is read, otherwise the one that wrote last.
    """
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
    if not files:
        return ()
    host = failed_host(reason)
    named = [file for file in files if file.stem == host]
    with (named or files)[-1].open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _BYTES))
        text = file.read().decode("utf-8", errors="replace")
    return tuple(map(openable(folder), excerpt(text.splitlines(), reason)))
