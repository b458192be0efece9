"""Where an S3 request points: a bucket, a key, and the shelf of files that both live on."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from pipelines.backends.local.api.s3.attributes import Attributes
from pipelines.backends.local.api.s3.errors import S3Error
from pipelines.backends.local.objects import ObjectStore, ObjectUriError, parse_uri
from pipelines.frozen import frozen


@frozen
class Place:
    """A bucket and a key; both are empty where the request names none."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """The place as the object store names it."""
        return f"s3://{self.bucket}/{self.key}"


def place_of(path: str) -> Place:
    """Read a path as it was sent: `/<bucket>/<key>`, percent-encoded; a `+` is a plus."""
    bucket, _, key = path.removeprefix("/").partition("/")
    return Place(unquote(bucket), unquote(key))


@frozen
class Shelf:
    """The object store, what is known about its objects, and who may write now.

    Args:
        objects: the objects.
        attributes: their attributes.
        region: the region of every bucket.
    """

    objects: ObjectStore
    attributes: Attributes
    region: str

    def require_bucket(self, bucket: str) -> None:
        """Refuse a bucket that is not there.

        Raises:
            S3Error: NoSuchBucket, InvalidBucketName.
        """
        if not (self.objects.root / checked_bucket(bucket)).is_dir():
            raise S3Error("NoSuchBucket", f"The specified bucket does not exist: {bucket}")

    def keep_bucket(self, bucket: str) -> None:
        """Make sure that a bucket outlives its last object."""
        (self.objects.root / bucket).mkdir(parents=True, exist_ok=True)

    @contextmanager
    def writing(self, *, alone: bool) -> Iterator[None]:
        """Hold the right to write, among all processes of the project.

        Args:
            alone: whether nobody else may write meanwhile, as a condition needs.
        """
        self.objects.root.mkdir(parents=True, exist_ok=True)
        with (self.objects.root / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield


def checked_bucket(bucket: str) -> str:
    """Refuse what cannot be a bucket's name."""
    try:
        parse_uri(f"s3://{bucket}/x")
    except ObjectUriError:
        raise S3Error("InvalidBucketName", f"The specified bucket is not valid: {bucket}") from None
    return bucket
