"""Where an execution keeps its files: `executions/<id>/<step>/<attempt>/<host>.log` and others."""

from __future__ import annotations

from pathlib import Path

JOB_FILE = "job"
"""Beside the logs of an attempt: the name of its job."""

_LINES = 20
_BYTES = 16_384


def execution_folder(home: Path, execution: str) -> Path:
    """Return the folder of an execution's definition, lock and logs."""
    return home / "executions" / execution


def attempt_folder(home: Path, execution: str, step: str, attempt: int) -> Path:
    """Return the folder of the logs of an attempt at a step."""
    return execution_folder(home, execution) / step / str(attempt)


def log_tail(folder: Path, reason: str | None) -> tuple[str, ...]:
    """Read the last lines of an attempt's logs, for the message that it failed.

    Of several hosts the one that the reason names (`AlgorithmError: algo-2: …`) is read: the
    others were ended because of it, and wrote about that. Otherwise the one that wrote last is.
    """
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
    if not files:
        return ()
    named = [file for file in files if (reason or "").startswith(f"AlgorithmError: {file.stem}: ")]
    with (named or files)[-1].open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _BYTES))
        text = file.read().decode("utf-8", errors="replace")
    return tuple(text.splitlines()[-_LINES:])
