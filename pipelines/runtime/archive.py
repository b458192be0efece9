"""tar, tar.gz and zip → a folder, written only after every member was checked; and back.

Safe for untrusted archives: no absolute path, no `..`, no link that leads out, no device, and
bounded in number and size.
"""

from __future__ import annotations

import contextlib
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, Iterator

from .archive_members import (
    FILE,
    FOLDER,
    HARD_LINK,
    LINK,
    ArchiveError,
    ArchiveLimits,
    ArchiveMember,
    bounded,
    check_tree,
    limits_from,
    member_path,
)

_CHUNK = 1 << 20
_LEVEL = 6
_PATH_MAX = 4096
_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError,
    UnicodeError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


def unpack(path: Path, into: Path, limits: ArchiveLimits | None = None) -> None:
    """Unpack an archive into an existing folder.

    Two passes: the first checks every member and reads it to its end, the second writes.
    Permissions become 0644 or 0755; owners and times are not kept. Links may lead to
    members of the archive only.

    Args:
        path: a tar, with any compression that Python supports, or a zip.
        into: an existing, empty folder.
        limits: what the archive may contain; by default what the environment allows.

    Raises:
        ArchiveError: the archive is damaged, or a member is refused. Nothing was written.
    """
    with _reading(path):
        if not stat.S_ISREG(path.stat().st_mode):
            raise ArchiveError(f"{path.name} is not a file")
        opened = _Zip if zipfile.is_zipfile(path) and not _is_gzip(path) else _Tar
        with contextlib.closing(opened(path)) as archive:
            entries = list(bounded(archive.entries(), limits or limits_from(os.environ)))
        check_tree(entries)
        with contextlib.closing(opened(path)) as archive:
            for entry, content in archive.contents():
                _write(into / entry.path, entry, content, into)


def pack(folder: Path, path: Path) -> None:
    """Write a folder as tar.gz: the same files give the same bytes, whoever packs them and when.

    Members are sorted, owned by root, without times; links inside the folder stay links.
    """
    files = sorted(
        Path(parent, name)
        for parent, folders, names in os.walk(folder)
        for name in [*folders, *names]
    )
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(path.open("wb"))
        packed = stack.enter_context(gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0))
        archive = stack.enter_context(
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT)
        )
        for file in files:
            _add(archive, file, file.relative_to(folder).as_posix())


def _add(archive: tarfile.TarFile, file: Path, name: str) -> None:
    member = archive.gettarinfo(str(file), name)
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    if member.islnk():  # the same file under two names: write it twice
        member.type, member.linkname = tarfile.REGTYPE, ""
        member.size = file.stat().st_size
    if not member.isreg():
        archive.addfile(member)
        return
    with file.open("rb") as content:
        archive.addfile(member, content)


class _Tar:
    """A tar archive, packed or not."""

    def __init__(self, path: Path) -> None:
        self._archive = tarfile.open(path, "r:*")  # noqa: SIM115 - closed by close

    def close(self) -> None:
        self._archive.close()

    def entries(self) -> Iterator[ArchiveMember]:
        """Yield the members, reading each to its end after its entry was checked."""
        for member in self._archive:
            yield _tar_entry(member)
            if member.isreg():
                _read_through(self._content(member), member.size, member.name)
        self._check_end()

    def _check_end(self) -> None:
        """Distinguish the end from a damaged header, which tarfile takes for the end."""
        rest = self._archive.fileobj
        if rest is None:
            return
        rest.seek(self._archive.offset)
        for data in iter(lambda: rest.read(_CHUNK), b""):
            if data.strip(b"\0"):
                raise ArchiveError("it is damaged: a member's header cannot be read")

    def contents(self) -> Iterator[tuple[ArchiveMember, IO[bytes] | None]]:
        for member in self._archive:
            yield _tar_entry(member), self._content(member) if member.isreg() else None

    def _content(self, member: tarfile.TarInfo) -> IO[bytes]:
        content = self._archive.extractfile(member)
        if content is None:
            raise ArchiveError(f"`{member.name}` has no content")
        return content


class _Zip:
    """A zip archive."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)

    def close(self) -> None:
        self._archive.close()

    def entries(self) -> Iterator[ArchiveMember]:
        """Yield the members, reading each to its end after its entry was checked."""
        for member in self._archive.infolist():
            yield self._entry(member)
            with self._archive.open(member) as content:
                _read_through(content, member.file_size, member.filename)

    def contents(self) -> Iterator[tuple[ArchiveMember, IO[bytes] | None]]:
        for member in self._archive.infolist():
            entry = self._entry(member)
            if entry.kind != FILE:
                yield entry, None
                continue
            with self._archive.open(member) as content:
                yield entry, content

    def _entry(self, member: zipfile.ZipInfo) -> ArchiveMember:
        mode = member.external_attr >> 16
        name, size = member_path(member.filename), member.file_size
        if member.is_dir():
            return ArchiveMember(name, FOLDER, "", 0, executable=True)
        if stat.S_ISLNK(mode):
            target = self._archive.read(member).decode() if size <= _PATH_MAX else ""
            return ArchiveMember(name, LINK, target, 0, executable=False)
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise ArchiveError(f"`{member.filename}` is a device or a pipe")
        return ArchiveMember(name, FILE, "", size, bool(mode & 0o100))


def _tar_entry(member: tarfile.TarInfo) -> ArchiveMember:
    path, executable = member_path(member.name), bool(member.mode & 0o100)
    if member.isdir():
        return ArchiveMember(path, FOLDER, "", 0, executable=True)
    if member.isreg():
        return ArchiveMember(path, FILE, "", member.size, executable)
    if member.issym():
        return ArchiveMember(path, LINK, member.linkname, 0, executable=False)
    if member.islnk():
        return ArchiveMember(path, HARD_LINK, member_path(member.linkname), 0, executable)
    raise ArchiveError(f"`{member.name}` is a device or a pipe")


def _read_through(content: IO[bytes], size: int, name: str) -> None:
    left = size
    while True:
        data = content.read(_CHUNK)
        if not data:
            break
        left -= len(data)
        if left < 0:
            break
    if left:
        raise ArchiveError(f"`{name}` does not have the size that the archive states")


def _write(target: Path, entry: ArchiveMember, content: IO[bytes] | None, into: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        mode = 0o755 if entry.executable else 0o644
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(content, file, _CHUNK)
    elif entry.kind == LINK:
        target.symlink_to(entry.target)
    elif entry.kind == HARD_LINK:
        shutil.copyfile(into / entry.target, target)
    else:
        target.mkdir(exist_ok=True)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what the libraries raise for a damaged archive into ArchiveError."""
    try:
        yield
    except ArchiveError as error:
        raise ArchiveError(f"{path.name}: {error}") from None
    except _DAMAGE as error:
        raise ArchiveError(f"{path.name} is damaged or not an archive: {error}") from None
