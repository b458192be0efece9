"""The end of a step's log, for the line that says why it failed."""

from __future__ import annotations

from pathlib import Path

_LINES = 20
_BYTES = 16_384


def log_tail(folder: Path) -> tuple[str, ...]:
    """Read the last lines of an attempt's logs; of several hosts, of the one that wrote last."""
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
    if not files:
        return ()
    with files[-1].open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _BYTES))
        text = file.read().decode("utf-8", errors="replace")
    return tuple(text.splitlines()[-_LINES:])
