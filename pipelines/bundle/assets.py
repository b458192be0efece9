"""Assets: what a definition names by URI, addressed by its content (decisions 1 and 4)."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
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
        part: which job of that step it is of; empty for its own.
    """

    step: str
    uri: str
    digest: str
    members: tuple[BundleFile, ...]
    part: str = ""

    @property
    def label(self) -> str:
        """What tells it from the other bundles of a pipeline."""
        return f"{self.step}/{self.part}" if self.part else self.step

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
        contents: path below the prefix → SHA-256 of the file; empty where they were not read.
        states: path below the prefix → what the file was before it was read (`digests.state_of`);
            empty where nobody looked.
    """

    uri: str
    digest: str
    files: tuple[tuple[str, Path], ...]
    contents: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """Its name in `data:`."""
        return self.uri.rstrip("/").split("/")[-2]


def write_zipapp(files: Iterable[BundleFile]) -> bytes:
    """Write a bundle: the files in the given order, their times fixed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.path, _EPOCH)
            entry.create_system = 3
            entry.external_attr = (0o100755 if file.executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.content, compresslevel=1)
    return buffer.getvalue()


def digest_bundle(files: Iterable[BundleFile]) -> str:
    """Hash paths, executable bits and contents; not a compressed file, whose bytes vary."""
    parts: list[bytes] = []
    for file in files:
        for one in (file.path.encode(), b"x" if file.executable else b"-", file.content):
            parts += (len(one).to_bytes(8, "big"), one)
    return hashlib.sha256(b"".join(parts)).hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_files(files: Iterable[tuple[str, Path]]) -> str:
    """Hash relative paths and contents of files on disk."""
    return digest_contents(read_contents(files))


def read_contents(files: Iterable[tuple[str, Path]]) -> dict[str, str]:
    """Hash the content of each file on disk: relative path → SHA-256."""
    return {name: hash_file(path) for name, path in files}


def digest_contents(contents: Mapping[str, str]) -> str:
    """Hash relative paths and the hashes of their contents, in the given order."""
    digest = hashlib.sha256()
    for name, content in contents.items():
        _frame(digest.update, name.encode())
        _frame(digest.update, bytes.fromhex(content))
    return digest.hexdigest()


def _frame(update: Callable[[bytes], object], content: bytes) -> None:
    update(len(content).to_bytes(8, "big"))
    update(content)
