"""How an execution is shown while it runs: lines anywhere, a live table on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from pipelines.execution.events import Observer


@contextmanager
def following(stream: TextIO) -> Iterator[Observer]:
    """Yield an observer that shows events on a stream for as long as the block runs."""
    if stream.isatty():
        from pipelines.cli.progress.live import live  # noqa: PLC0415 - rich takes 0.1 s to import

        with live(stream) as observer:
            yield observer
    else:
        from pipelines.cli.progress.plain import Lines  # noqa: PLC0415 - as above

        yield Lines(stream)
