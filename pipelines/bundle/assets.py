"""Assets: what a definition names by URI, addressed by its content (decisions 1 and 4)."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from pipelines.frozen import frozen
from pipelines.runtime.bundle import JOB, BundleFile, Job, parse_job

_EPOCH = (1980, 1, 1, 0, 0, 0)


@frozen
class CodeAsset:
    """A step's bundle, one zipapp.

    Args:
        step: the step of the spec that it belongs to.
        uri: where it is uploaded to.
        digest: SHA-256 over its contents; a part of the URI.
        members: its files, sorted by path.
    """

    step: str
    uri: str
    digest: str
    members: tuple[BundleFile, ...]

    @property
    def job(self) -> Job:
        """The static configuration that its job gets."""
        return parse_job(self.content(JOB))

    def content(self, path: str) -> bytes:
        """Return the bytes of one of its files."""
        return next(one.content for one in self.members if one.path == path)

    def archive(self) -> bytes:
        """Return the zipapp."""
        return write_zipapp(self.members)


@frozen
class DataAsset:
    """A local file or folder of `data:`.

    Args:
        uri: the prefix that its files are uploaded under, with a `/` at the end.
        digest: SHA-256 over its files' paths and contents; a part of the URI.
        files: path below the prefix → file on disk, sorted.
    """

    uri: str
    digest: str
    files: tuple[tuple[str, Path], ...]


def write_zipapp(files: Iterable[BundleFile]) -> bytes:
    """Write a bundle: the files in the given order, their times fixed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.path, _EPOCH)
            entry.create_system = 3
            entry.external_attr = (0o100755 if file.executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.content)
    return buffer.getvalue()


def digest_bundle(files: Iterable[BundleFile]) -> str:
    """Hash paths, executable bits and contents; not a compressed file, whose bytes vary."""
    digest = hashlib.sha256()
    for file in files:
        _frame(digest.update, file.path.encode())
        _frame(digest.update, b"x" if file.executable else b"-")
        _frame(digest.update, file.content)
    return digest.hexdigest()


def digest_files(files: Iterable[tuple[str, Path]]) -> str:
    """Hash relative paths and contents of files on disk."""
    digest = hashlib.sha256()
    for name, path in files:
        _frame(digest.update, name.encode())
        with path.open("rb") as stream:
            _frame(digest.update, hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _frame(update: Callable[[bytes], object], content: bytes) -> None:
    update(len(content).to_bytes(8, "big"))
    update(content)
