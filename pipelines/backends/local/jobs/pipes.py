"""Pipe mode: a channel comes through FIFOs `/opt/ml/input/data/<channel>_<epoch>`.

The job opens epoch 0, reads the objects one after the other to the end, opens epoch 1 for the
next pass, and so on for as long as it likes.
"""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import struct
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

from pipelines.backends.local.jobs.channels import S3Source, shares
from pipelines.backends.local.jobs.opt_ml import inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipelines.backends.local.jobs.channels import Source
    from pipelines.backends.local.jobs.spec import Job
    from pipelines.backends.local.objects import ObjectStore

_POLL = 0.02  # seconds between looks for a reader
_RECORD_IO = 0xCED7230A


@contextmanager
def feeding(store: ObjectStore, job: Job, sources: Sequence[Source]) -> Iterator[None]:
    """Feed the pipes of all Pipe channels while the job runs.

    Raises:
        JobRefusedError: a channel's objects are not there.
    """
    over = threading.Event()
    feeders = []
    for source in sources:
        if isinstance(source, S3Source) and source.pipe:
            for host, share in shares(store, job, source):
                first = inside(host, f"{source.folder}_0")
                os.mkfifo(first)
                objects = [info.path for info, _ in share]
                feeders.append(
                    threading.Thread(target=_feed, args=(first, objects, source, over), daemon=True)
                )
    for feeder in feeders:
        feeder.start()
    try:
        yield
    finally:
        over.set()
        for feeder in feeders:
            feeder.join()


def _feed(first: Path, objects: Sequence[Path], source: S3Source, over: threading.Event) -> None:
    """Write one epoch after the other, each as soon as somebody reads it."""
    epoch = 0
    channel = first.name.removesuffix("_0")
    while (pipe := _open(first.with_name(f"{channel}_{epoch}"), over)) is not None:
        epoch += 1
        try:
            with pipe:
                for path in objects:
                    _write(path, pipe, source)
                os.mkfifo(first.with_name(f"{channel}_{epoch}"))  # before the reader sees the end
        except BrokenPipeError:  # the reader has read enough of this epoch
            _make_once(first.with_name(f"{channel}_{epoch}"))


def _make_once(pipe: Path) -> None:
    if not pipe.exists():
        os.mkfifo(pipe)


def _open(path: Path, over: threading.Event) -> IO[bytes] | None:
    """Open a pipe once somebody reads it; None when the job is over."""
    while not over.wait(_POLL):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as problem:
            if problem.errno != errno.ENXIO:  # nobody reads it yet
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
        data = file.read()
    pipe.write(struct.pack("<II", _RECORD_IO, len(data)) + data + bytes(-len(data) % 4))


def _opened(path: Path, source: S3Source) -> IO[bytes]:
    if source.gunzip:
        return cast("IO[bytes]", gzip.open(path))
    return path.open("rb")
