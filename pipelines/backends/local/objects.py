"""The local S3: `s3://<bucket>/<key>` is the file `<root>/<bucket>/<key>`.

All parts of the local SageMaker read and write objects through `ObjectStore`. A listing has S3's
semantics: a prefix is a prefix of the *key*, so `…/train` also matches `…/train_raw`. Two things
differ from S3, both because a key is a path here: empty parts of a key are dropped (`a//b` is
`a/b`), and a key cannot be both an object and the folder of others.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from pipelines.backends.local.object_uris import ObjectUriError, S3Location, parse_uri
from pipelines.errors import UsageError, located
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SCRATCH = ".incoming"  # not a valid bucket name
_TRIES = 5
_PIECE = 1 << 30  # bytes that one call copies at most


class NoSuchObjectError(UsageError):
    """There is no object at a URI; `path` is the file that it would be."""

    def __init__(self, uri: str, path: Path) -> None:
        super().__init__(f"there is no object at {uri}", f"put it at {path}")
        self.uri = uri
        self.path = path


@frozen
class ObjectInfo:
    """One object: `size` in bytes, `modified` in seconds since 1970, `path` its file."""

    uri: str
    size: int
    path: Path
    modified: float


class ObjectStore:
    """Objects as plain files.

    Args:
        root: the folder of all buckets, `.pipelines/s3`; created on first use.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, uri: str) -> Path:
        """Return the file for the object at `uri`, whether or not it exists."""
        location = parse_uri(uri)
        return self.root / location.bucket / location.key

    def put_bytes(self, uri: str, data: bytes) -> ObjectInfo:
        """Make `data` the object at `uri`; readers see the old object or the new one."""
        with self._incoming(uri) as file:
            file.write(data)
        return self.info(uri)

    def put_file(self, uri: str, path: Path) -> ObjectInfo:
        """Make a copy of the file `path` the object at `uri`, as atomically as `put_bytes`."""
        with path.open("rb") as source, self._incoming(uri) as file:
            copy_contents(source, file)
        return self.info(uri)

    def take_file(self, uri: str, path: Path) -> ObjectInfo:
        """Make the file `path` itself the object at `uri`; it is copied where it cannot be moved.

        That is from another file system, and where the file has another name, too.
        """
        if path.is_symlink() or path.stat().st_nlink > 1:
            return self.put_file(uri, path)
        try:
            with self._storing(uri) as target:
                os.utime(path)
                path.chmod(0o644)
                _place(path, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return self.put_file(uri, path)
        return self.info(uri)

    def get_bytes(self, uri: str) -> bytes:
        """Read an object.

        Raises:
            NoSuchObjectError: there is none.
        """
        return self.info(uri).path.read_bytes()

    def exists(self, uri: str) -> bool:
        """Return whether `uri` is an object, not only a prefix of some."""
        location = parse_uri(uri)
        return not location.key.endswith("/") and self.path_of(uri).is_file()

    def info(self, uri: str) -> ObjectInfo:
        """Describe one object.

        Raises:
            NoSuchObjectError: there is none.
        """
        location = parse_uri(uri)
        if not self.exists(uri):
            raise NoSuchObjectError(uri, self.path_of(uri))
        return self._describe(location.bucket, location.key)

    def delete(self, uri: str) -> None:
        """Delete an object, if it exists, and the folders that become empty."""
        if not self.exists(uri):
            return
        path = self.path_of(uri)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self.root:
                return
            try:
                folder.rmdir()
            except OSError:  # it holds other objects
                return

    def list(self, prefix_uri: str) -> Iterator[ObjectInfo]:
        """List every object whose key begins with the prefix, in S3's order (bytes of the key)."""
        location = parse_uri(prefix_uri)
        for key in sorted(self._keys(location), key=os.fsencode):
            yield self._describe(location.bucket, key)

    def holds(self, prefix_uri: str) -> bool:
        """Return whether any object's key begins with the prefix."""
        return next(self._keys(parse_uri(prefix_uri)), None) is not None

    def layout(self, prefix_uri: str) -> Sequence[tuple[ObjectInfo, PurePosixPath]]:
        """Return where SageMaker puts each object of a prefix, relative to the input's folder.

        A prefix that is an object is that file under its base name. Below a folder (`…/train`
        or `…/train/`) the path inside the folder is kept. An object whose name merely begins
        with the prefix (`…/train_raw/x`) keeps the path after the prefix's last slash.
        """
        if self.exists(prefix_uri):
            info = self.info(prefix_uri)
            return [(info, PurePosixPath(info.path.name))]
        key = parse_uri(prefix_uri).key
        folder = key if key.endswith("/") or not key else f"{key}/"
        parent = key[: key.rfind("/") + 1]
        placed = []
        for info in self.list(prefix_uri):
            object_key = parse_uri(info.uri).key
            start = folder if object_key.startswith(folder) else parent
            placed.append((info, PurePosixPath(object_key[len(start) :])))
        return placed

    def download(self, prefix_uri: str, into: Path) -> Sequence[Path]:
        """Copy the objects of a prefix below `into`, laid out as by `layout`.

        Returns:
            The files written; none if no object has the prefix.
        """
        written = []
        for info, relative in self.layout(prefix_uri):
            target = into / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(info.path, target)
            written.append(target)
        return written

    def upload_folder(self, folder: Path, uri: str) -> Sequence[ObjectInfo]:
        """Put every regular file below `folder` under the prefix `uri`.

        A link to a file is uploaded as the file; pipes, sockets and dead links are skipped.
        """
        base = f"{uri.rstrip('/')}/"
        return [self.put_file(base + name, path) for name, path in _files(folder)]

    def take_folder(self, folder: Path, uri: str) -> Sequence[ObjectInfo]:
        """Move every regular file below `folder` under the prefix `uri`, as `take_file` does."""
        base = f"{uri.rstrip('/')}/"
        return [self.take_file(base + name, path) for name, path in _files(folder)]

    def _keys(self, location: S3Location) -> Iterator[str]:
        bucket = self.root / location.bucket
        start = bucket / location.key[: location.key.rfind("/") + 1]
        for directory, subfolders, names in os.walk(start):
            below = Path(directory).relative_to(bucket)
            subfolders[:] = [
                name for name in subfolders if _overlaps((below / name).as_posix(), location.key)
            ]
            for name in names:
                key = (below / name).as_posix()
                if key.startswith(location.key):
                    yield key

    def _describe(self, bucket: str, key: str) -> ObjectInfo:
        path = self.root / bucket / key
        status = path.stat()
        uri = S3Location(bucket, key).uri
        return ObjectInfo(uri, status.st_size, path, status.st_mtime)

    @contextmanager
    def _incoming(self, uri: str) -> Iterator[IO[bytes]]:
        with self._storing(uri) as target:
            scratch = self.root / _SCRATCH
            scratch.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=scratch)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    yield file
                Path(name).chmod(0o644)
                _place(Path(name), target)
            finally:
                Path(name).unlink(missing_ok=True)

    @contextmanager
    def _storing(self, uri: str) -> Iterator[Path]:
        """Give the file that the object at `uri` becomes; say why it cannot be one."""
        location = parse_uri(uri)
        target = self.root / location.bucket / location.key
        if not location.key or location.key.endswith("/"):
            raise ObjectUriError(f"`{uri}` names a folder, not an object", "give the object a name")
        try:
            yield target
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as clash:
            raise ObjectUriError(
                f"`{uri}` cannot be stored: a part of its key would be both an object and a folder",
                "give one of them another name",
            ) from clash
        except OSError as error:
            raise located(error, target) from error


def copy_contents(read: IO[bytes], written: IO[bytes]) -> None:
    """Copy what is left of a file into another one, by reference where the file system can."""
    with suppress(AttributeError, OSError):  # not Linux, or another file system
        while os.copy_file_range(read.fileno(), written.fileno(), _PIECE):
            pass
    shutil.copyfileobj(read, written, 1 << 20)


def _place(file: Path, target: Path) -> None:
    """Move a file to its place, whose folders another process may be removing: they are empty."""
    for remaining in reversed(range(_TRIES)):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
        except FileNotFoundError:
            if not remaining:
                raise
        else:
            return


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield every regular file below a folder with its path there, sorted."""
    for directory, subfolders, names in os.walk(folder):
        subfolders.sort()
        for name in sorted(names):
            path = Path(directory, name)
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path


def _overlaps(folder: str, prefix: str) -> bool:
    """Return whether keys below `folder` can begin with `prefix`."""
    inside = f"{folder}/"
    return inside.startswith(prefix) or prefix.startswith(inside)
