"""The end of a step's log, for the line that says why it failed."""

from __future__ import annotations

from pathlib import Path

_LINES = 20
_BYTES = 16_384


def log_tail(folder: Path, reason: str | None) -> tuple[str, ...]:
    """Read the last lines of an attempt's logs.

    Of several hosts the one that the reason names (`AlgorithmError: algo-2: …`) counts: the
    others were ended because of it, and wrote about that. Else it is the one that wrote last.
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
