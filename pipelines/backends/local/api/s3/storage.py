"""What S3 requests work on: locations, the object store, and the attributes of its objects."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import stat_result
from pathlib import Path
from urllib.parse import unquote

from pipelines.backends.local.api.s3.documents import S3Error
from pipelines.backends.local.object_uris import ObjectUriError, S3Location, parse_uri
from pipelines.backends.local.objects import ObjectStore
from pipelines.frozen import frozen

_KEPT = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
)
_USER = "x-amz-meta-"
_DEFAULT = {"content-type": "binary/octet-stream"}


def location_of(path: str) -> S3Location:
    """Read a path as it was sent: `/<bucket>/<key>`, percent-encoded; a `+` is a plus."""
    bucket, _, key = path.removeprefix("/").partition("/")
    return S3Location(unquote(bucket), unquote(key, errors="surrogateescape"))


def attributes_in(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that a request sets for the object that it writes."""
    kept = {
        name: value for name, value in headers.items() if name in _KEPT or name.startswith(_USER)
    }
    encodings = [item.strip() for item in kept.pop("content-encoding", "").split(",")]
    encoding = ",".join(item for item in encodings if item and item != "aws-chunked")
    return {**kept, "content-encoding": encoding} if encoding else kept


class ObjectAttributes:
    """Content type and user metadata of objects, beside the plain files that objects are.

    They are kept with the identity of the file that they were set for: attributes of a file that
    was replaced without this class, as jobs replace their outputs, are ignored.

    Args:
        folder: where they are kept; created on first use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, uri: str, status: stat_result, headers: Mapping[str, str]) -> None:
        """Keep the attributes of an object that was just written."""
        file = self._file(uri)
        if not headers:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        record = {"uri": uri, "file": _identity(status), "headers": dict(headers)}
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(record, stream)
        Path(name).replace(file)

    def of(self, uri: str, status: stat_result) -> dict[str, str]:
        """Return the attributes of an object as headers."""
        try:
            record = json.loads(self._file(uri).read_bytes())
        except FileNotFoundError:
            return dict(_DEFAULT)
        if record["file"] != _identity(status):
            return dict(_DEFAULT)
        return {**_DEFAULT, **record["headers"]}

    def remove(self, uri: str) -> None:
        """Remove the attributes of an object."""
        self._file(uri).unlink(missing_ok=True)

    def _file(self, uri: str) -> Path:
        name = hashlib.sha256(uri.encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / name[:2] / f"{name[2:]}.json"


def _identity(status: stat_result) -> list[int]:
    return [status.st_ino, status.st_size, status.st_mtime_ns]


@frozen
class S3Storage:
    """The object store, the attributes of its objects, and the right to write.

    Args:
        objects: the objects.
        attributes: their attributes.
        region: the region of every bucket.
    """

    objects: ObjectStore
    attributes: ObjectAttributes
    region: str

    def require_bucket(self, bucket: str) -> None:
        """Refuse a bucket that does not exist.

        Raises:
            S3Error: NoSuchBucket, InvalidBucketName.
        """
        if not (self.objects.root / checked_bucket(bucket)).is_dir():
            raise S3Error("NoSuchBucket", f"The specified bucket does not exist: {bucket}")

    def keep_bucket(self, bucket: str) -> None:
        """Make sure that a bucket exists, also after its last object was deleted."""
        (self.objects.root / bucket).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def writing(self, *, alone: bool) -> Iterator[None]:
        """Hold the right to write, shared with all processes of the project.

        Args:
            alone: whether no other process may write meanwhile, as a condition requires.
        """
        self.objects.root.mkdir(parents=True, exist_ok=True)
        with (self.objects.root / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield


def checked_bucket(bucket: str) -> str:
    """Refuse what is not a valid bucket name."""
    try:
        parse_uri(f"s3://{bucket}/x")
    except ObjectUriError:
        raise S3Error("InvalidBucketName", f"The specified bucket is not valid: {bucket}") from None
    return bucket
