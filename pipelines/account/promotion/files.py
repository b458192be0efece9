"""The objects that a version names: found in one account, fetched, checked, put into another.

A copy's key holds a hash of its content (decision 4), so that it can be made again at any time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from pipelines.account.account import Account
from pipelines.account.promotion.content import StoredFile
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError, split
from pipelines.frozen import frozen

_CHUNK = 1 << 20
_HASH_LENGTH = 32


@frozen
class FetchedObject:
    """One object of a version, on this machine.

    Args:
        name: its key below the prefix, or the last part of its key.
        path: the file.
        digest: the SHA-256 of the file.
    """

    name: str
    path: Path
    digest: str


@frozen
class FetchedFile:
    """What stands at one place of a version, on this machine.

    Args:
        stored: where it comes from.
        is_prefix: whether it is all objects below a prefix.
        objects: one, or all below the prefix.
    """

    stored: StoredFile
    is_prefix: bool
    objects: tuple[FetchedObject, ...]

    @property
    def digest(self) -> str:
        """The SHA-256 of the object; of a prefix, of the names and digests below it."""
        if not self.is_prefix:
            return self.objects[0].digest
        listed = "".join(f"{one.name} {one.digest}\n" for one in self.objects)
        return hashlib.sha256(listed.encode()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(one.path.stat().st_size for one in self.objects)

    def below(self, prefix: str) -> str:
        """Return the URI of its copy."""
        folder = f"{prefix}/{self.digest[:_HASH_LENGTH]}/"
        return folder if self.is_prefix else folder + self.objects[0].name


def fetch(account: Account, stored: StoredFile, folder: Path) -> FetchedFile:
    """Download what stands at a place of a version into an empty folder.

    Raises:
        UsageError: it is not there, or is not what was registered.
        CallRefusedError: it cannot be read.
    """
    bucket, key = split(stored.uri)
    etag = None if key.endswith("/") else _etag(account, bucket, key)
    if etag is not None:
        if stored.etag not in {None, etag}:
            raise _changed(stored.uri)
        one = _download(account, bucket, key, folder / "0")
        if stored.digest not in {None, one.digest}:
            raise _changed(stored.uri)
        return FetchedFile(stored, is_prefix=False, objects=(one,))
    found = tuple(_download_below(account, bucket, f"{key.rstrip('/')}/", folder))
    if not found:
        raise UsageError(
            f"the version names {stored.uri}, where there is nothing",
            "only a version whose files are all there can be promoted",
        )
    return FetchedFile(stored, is_prefix=True, objects=found)


def store(account: Account, fetched: FetchedFile, prefix: str) -> str:
    """Upload a copy, as far as it is not there; return its URI.

    Raises:
        CallRefusedError: an object was refused; those before it stay.
    """
    uri = fetched.below(prefix)
    for one in fetched.objects:
        bucket, key = split(uri + one.name if fetched.is_prefix else uri)
        if not _holds(account, bucket, key, one.digest):
            account.upload(bucket, key, one.path)
    return uri


def _etag(account: Account, bucket: str, key: str) -> str | None:
    """Return the ETag of an object; None where there is none.

    The bucket may be another account's: SageMaker does not ask whose it is either.
    """
    try:
        found = account.call("s3", "head_object", Bucket=bucket, Key=key)
    except CallRefusedError as error:
        if error.is_missing:
            return None
        raise
    return str(found["ETag"]).strip('"')


def _download_below(
    account: Account, bucket: str, prefix: str, folder: Path
) -> Iterable[FetchedObject]:
    listed = account.pages("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
    keys = sorted(entry["Key"] for entry in listed if not entry["Key"].endswith("/"))
    for number, key in enumerate(keys):
        one = _download(account, bucket, key, folder / str(number))
        yield FetchedObject(key.removeprefix(prefix), one.path, one.digest)


def _download(account: Account, bucket: str, key: str, path: Path) -> FetchedObject:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        digest = _read(account, bucket, key, file)
    return FetchedObject(key.rpartition("/")[2], path, digest)


def _read(account: Account, bucket: str, key: str, into: IO[bytes] | None) -> str:
    """Read an object piece by piece; return its SHA-256."""
    digest = hashlib.sha256()
    with account.clients("s3") as (s3,):
        for piece in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(_CHUNK):
            digest.update(piece)
            if into is not None:
                into.write(piece)
    return digest.hexdigest()


def _holds(account: Account, bucket: str, key: str, digest: str) -> bool:
    """Return whether a copy is there, and what it should be."""
    return _etag(account, bucket, key) is not None and _read(account, bucket, key, None) == digest


def _changed(uri: str) -> UsageError:
    return UsageError(
        f"{uri} is not what was registered: it has been overwritten since",
        "what was evaluated is lost: run the pipeline again and promote its new version",
    )
