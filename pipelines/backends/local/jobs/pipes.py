"""Pipe mode: a channel is read through FIFOs `/opt/ml/input/data/<channel>_<epoch>`.

The job opens epoch 0, reads all objects in sequence to the end, opens epoch 1 for the next pass,
and so on. With a `ShuffleConfig` each epoch has an order of its own, which the seed determines;
where hosts get shards, the objects move between them (CreateTrainingJob API).
"""

from __future__ import annotations

import errno
import gzip
import os
import random
import shutil
import threading
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, TYPE_CHECKING, cast

from pipelines.backends.local.jobs.batch.binary import wrapped
from pipelines.backends.local.jobs.channels import hosts_of, placed_objects, share_of, unpacking
from pipelines.backends.local.jobs.opt_ml import host_path
from pipelines.backends.local.jobs.sources import S3Source
from pipelines.backends.local.jobs.spec import JobRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from pipelines.backends.local.jobs.sources import InputSource, PlacedObject
    from pipelines.backends.local.jobs.spec import LocalJob
    from pipelines.backends.local.objects import ObjectInfo, ObjectStore

    _Epochs: TypeAlias = Callable[[int], list[ObjectInfo]]

_POLL = 0.02  # seconds between checks for a reader


@contextmanager
def feed_pipes(store: ObjectStore, job: LocalJob, sources: Sequence[InputSource]) -> Iterator[None]:
    """Feed the pipes of all Pipe channels while the job runs.

    Raises:
        JobRefusedError: a channel has no objects.
    """
    over = threading.Event()
    feeders: list[_Feeder] = []
    for source in sources:
        if isinstance(source, S3Source) and source.pipe:
            placed, hosts = placed_objects(store, source), hosts_of(job, source)
            for number, host in enumerate(hosts):
                first = host_path(host, f"{source.folder}_0")
                os.mkfifo(first)
                epochs = partial(_epoch, placed, source, number, len(hosts))
                feeders.append(_Feeder(first, epochs, source, over))
    for feeder in feeders:
        feeder.start()
    try:
        yield
    finally:
        over.set()
        for feeder in feeders:
            feeder.join()
    for feeder in feeders:
        if feeder.refusal is not None:
            raise feeder.refusal


class _Feeder(threading.Thread):
    """Feeds the pipes of one channel; `refusal` says why it ended before the job did."""

    def __init__(
        self, first: Path, epochs: _Epochs, source: S3Source, over: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self.refusal: JobRefusedError | None = None
        self._fed = first, epochs, source, over

    def run(self) -> None:
        try:
            _feed(*self._fed)
        except JobRefusedError as refusal:
            self.refusal = refusal


def _epoch(
    placed: list[PlacedObject], source: S3Source, number: int, hosts: int, epoch: int
) -> list[ObjectInfo]:
    """Return the objects of one epoch, for one of the hosts, in their order."""
    if source.seed is not None:
        placed = [*placed]
        random.Random(f"{source.seed}/{epoch}").shuffle(placed)  # noqa: S311 - no secret
    return [info for info, _ in share_of(placed, source, number, hosts)]


def _feed(first: Path, epochs: _Epochs, source: S3Source, over: threading.Event) -> None:
    """Write epoch after epoch, each as soon as it has a reader."""
    epoch = 0
    channel = first.name.removesuffix("_0")
    while (pipe := _open(first.with_name(f"{channel}_{epoch}"), over)) is not None:
        objects = epochs(epoch)
        epoch += 1
        # Before the reader gets anything: it may close this epoch early, and open the next at once.
        os.mkfifo(first.with_name(f"{channel}_{epoch}"))
        with suppress(BrokenPipeError), pipe:
            for info in objects:
                with unpacking(info, source):
                    _write(info.path, pipe, source)


def _open(path: Path, over: threading.Event) -> IO[bytes] | None:
    """Open a pipe once it has a reader; None when the job has ended."""
    while not over.wait(_POLL):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as problem:
            if problem.errno != errno.ENXIO:  # it has no reader yet
                return None
            continue
        os.set_blocking(descriptor, True)
        return os.fdopen(descriptor, "wb")
    return None


def _write(path: Path, pipe: IO[bytes], source: S3Source) -> None:
    with _opened(path, source) as file:
        if not source.record_io:
            shutil.copyfileobj(file, pipe, 1 << 16)
            return
        pipe.write(wrapped(file.read()))


def _opened(path: Path, source: S3Source) -> IO[bytes]:
    if source.gunzip:
        return cast("IO[bytes]", gzip.open(path))
    return path.open("rb")
