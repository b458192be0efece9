"""How an execution is shown while it runs: lines anywhere, a live table on a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from pipelines.execution.events import Observer

_LIVE_SECONDS = 0.5
_LINES_SECONDS = 5.0


@contextmanager
def following(stream: TextIO) -> Iterator[Observer]:
    """Yield an observer that shows events on a stream for as long as the block runs."""
    if is_live(stream):
        from pipelines.cli.progress.live import live  # noqa: PLC0415 - rich takes 0.1 s to import

        with live(stream) as observer:
            yield observer
    else:
        from pipelines.cli.progress.plain import Lines  # noqa: PLC0415 - as above

        yield Lines(stream)


def pace_of(stream: TextIO) -> float:
    """Return how many seconds apart there is something new to show of running jobs."""
    return _LIVE_SECONDS if is_live(stream) else _LINES_SECONDS


def is_live(stream: TextIO) -> bool:
    """Return whether lines can be drawn anew there: not in a file, nor in Emacs' shell."""
    return stream.isatty() and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}
