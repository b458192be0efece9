"""How uploads are shown while they go on: a bar on a terminal, one line elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from pipelines.diagnostics.sentences import counted


@contextmanager
def uploading(stream: TextIO, count: int) -> Iterator[Callable[[str], None]]:
    """Show how many of so many uploads are done; yields what is to be called after each."""
    if count == 0 or not stream.isatty():
        yield lambda _: None
        if count:
            print(f"uploaded {counted(count, 'object')}", file=stream)
        return
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 - as above

    columns = (TextColumn("uploading"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task("uploading", total=count)
        yield lambda _: progress.advance(task)
