"""A plan → objects in the store: each whole or not at all, and recorded once it is there."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.account.parallel import open_pool
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError

if TYPE_CHECKING:
    from pipelines.account.account import Account
    from pipelines.backends.local.fetching.planning import FetchPlan, Planner, RemoteObject
    from pipelines.backends.local.objects import ObjectStore

_SCRATCH: Final = ".incoming"  # that of the store
_LOCK: Final = "fetch.lock"
_PIECE: Final = 1 << 20
_SPARE: Final = 64 << 20
"""Bytes of the disk that a fetch leaves free."""


class _OverError(Exception):
    """Another object was refused, or the user has interrupted: what has begun is left as it is."""


class Fetcher:
    """Reads objects of S3 into the store.

    Args:
        account: whose credentials are used.
        store: the object store.
        planner: what made the plan; it has the records.
    """

    def __init__(self, account: Account, store: ObjectStore, planner: Planner) -> None:
        self._account = account
        self._store = store
        self._planner = planner
        self._over = threading.Event()

    def fetch(self, plan: FetchPlan, done: Callable[[RemoteObject], None]) -> None:
        """Read what a plan lacks, many objects at once, and remove what is gone.

        Args:
            plan: the plan.
            done: called with each object that is there now, by several threads.

        Raises:
            UsageError: the disk has no room for it; nothing was read.
            CallRefusedError: an object was refused, or changed meanwhile; those before it stay.
        """
        self._require_room(plan)

        def one(remote: RemoteObject) -> None:
            self._fetch(remote)
            done(remote)

        with open_pool() as calls:
            try:
                futures = [calls.begin(one, remote) for remote in plan.lacking]
                for ended in as_completed(futures):
                    ended.result()
            finally:
                self._over.set()  # before the pool waits for those that have begun
        for uri in plan.gone:
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            self._store.delete(uri)
            self._planner.records(bucket).forget(key)

    def _require_room(self, plan: FetchPlan) -> None:
        self._store.root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._store.root).free
        if plan.size + _SPARE > free:
            raise UsageError(
                f"the disk of {self._store.root} has {free >> 20} MiB left, and the objects have"
                f" {plan.size >> 20} MiB",
                "make room, or name a smaller prefix",
            )

    def _fetch(self, remote: RemoteObject) -> None:
        part = self._part(remote)
        part.parent.mkdir(parents=True, exist_ok=True)
        while not part.exists() or _size(part) < remote.size:
            there = _size(part)
            try:
                self._read(remote, part, there)
            except CallRefusedError as error:
                if _size(part) == there:  # nothing came: it was not the connection
                    raise _refused(remote, error) from error
            else:
                if _size(part) != remote.size:
                    part.unlink()
                    raise _changed(remote)
        self._store.take_file(remote.uri, part)
        self._planner.records(remote.bucket).add(remote.local_key, remote.etag)

    def _read(self, remote: RemoteObject, part: Path, start: int) -> None:
        """Read what follows the part of an object that is there already."""
        request = {"Bucket": remote.bucket, "Key": remote.key, "IfMatch": remote.etag}
        if start:
            request["Range"] = f"bytes={start}-"
        with self._account.clients("s3") as (s3,):
            part.touch()
            for piece in s3.get_object(**request)["Body"].iter_chunks(_PIECE):
                if self._over.is_set():
                    raise _OverError
                _append(remote, part, piece)

    def _part(self, remote: RemoteObject) -> Path:
        """Return the file of what was read so far of one version of an object."""
        name = hashlib.sha256(f"{remote.uri}\n{remote.etag}".encode()).hexdigest()
        return self._store.root / _SCRATCH / f"fetched-{name}"


@contextmanager
def fetching_alone(home: Path) -> Iterator[None]:
    """Let no other process fetch into the same store meanwhile."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / _LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _append(remote: RemoteObject, part: Path, piece: bytes) -> None:
    """Add to what was read of an object.

    Raises:
        UsageError: the disk does not take it; what was read before stays.
    """
    try:
        with part.open("ab") as file:
            file.write(piece)
    except OSError as error:
        raise UsageError(
            f"{remote.uri} cannot be written below {part.parent.parent}: {error.strerror}",
            "make room, and run the command again: it goes on from there",
        ) from error


def _refused(remote: RemoteObject, error: CallRefusedError) -> CallRefusedError:
    if error.code in {"PreconditionFailed", "NoSuchKey"}:
        return _changed(remote)
    problem = f"{remote.uri} cannot be read: {error.problem}"
    return CallRefusedError(problem, error.remedy, code=error.code, operation="get_object")


def _changed(remote: RemoteObject) -> CallRefusedError:
    return CallRefusedError(
        f"{remote.uri} was changed while it was fetched", "run the command again", code="Changed"
    )


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
