"""The members of an archive → those that may be unpacked; checked before a file is written.

Nothing here opens an archive: `archive.py` does, for tar and zip.
"""

from __future__ import annotations

import posixpath
import re
from typing import Iterable, Iterator, Mapping, NamedTuple

FILE, FOLDER, LINK, HARD_LINK = "file", "folder", "symlink", "hard link"
_GIB = 1 << 30
_MOST_LINKS = 40
"""What Linux follows on the way to one file."""
_NUMBER = re.compile(r"[1-9][0-9]{0,5}\Z")
LIMIT_VARIABLE = "PIPELINES_ARCHIVE_GIB"


class ArchiveError(Exception):
    """The archive is damaged, or a member may not be unpacked; nothing was written."""


class ArchiveLimits(NamedTuple):
    """What an archive may contain: members, and unpacked bytes, per file and in total."""

    members: int = 100_000
    file_bytes: int = 8 * _GIB
    total_bytes: int = 32 * _GIB


def limits_from(environ: Mapping[str, str]) -> ArchiveLimits:
    """Return the limits; `PIPELINES_ARCHIVE_GIB` is that of one file, a quarter of the total.

    Raises:
        ArchiveError: it is not a number of GiB.
    """
    text = environ.get(LIMIT_VARIABLE)
    if not text:
        return ArchiveLimits()
    if not _NUMBER.match(text):
        raise ArchiveError(f"{LIMIT_VARIABLE} is `{text}`, which is not a number of GiB")
    return ArchiveLimits(file_bytes=int(text) * _GIB, total_bytes=4 * int(text) * _GIB)


class ArchiveMember(NamedTuple):
    """A member: its path in the folder, what it is, where a link leads, its size and mode."""

    path: str
    kind: str
    target: str
    size: int
    executable: bool


def member_path(name: str) -> str:
    """Return a member's path without `.` parts; refuse one that leads out."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise ArchiveError(f"`{name}` leads out of the archive")
    if "\0" in name or "\\" in name:
        raise ArchiveError(f"`{name}` is not a plain path")
    return "/".join(parts)


def bounded(entries: Iterable[ArchiveMember], limits: ArchiveLimits) -> Iterator[ArchiveMember]:
    """Yield the members as long as their number and their sizes are within the limits."""
    total = 0
    for number, entry in enumerate(entries, 1):
        total += entry.size
        if number > limits.members:
            raise ArchiveError(f"it contains more than {limits.members:,} members")
        if entry.size > limits.file_bytes:
            text = f"`{entry.path}` is larger than {limits.file_bytes:,} bytes"
            raise ArchiveError(f"{text}; to allow more, set {LIMIT_VARIABLE}")
        if total > limits.total_bytes:
            text = f"its files are larger than {limits.total_bytes:,} bytes in total"
            raise ArchiveError(f"{text}; to allow more, set {LIMIT_VARIABLE}")
        yield entry


def check_tree(entries: list[ArchiveMember]) -> None:
    """Refuse links that lead out, members written through a link, and names used twice."""
    kinds: dict[str, str] = {}
    for entry in entries:
        if not entry.path and entry.kind != FOLDER:
            raise ArchiveError("a member has no name")
        before = kinds.get(entry.path)
        if before is not None and (before, entry.kind) != (FOLDER, FOLDER):
            raise ArchiveError(f"`{entry.path}` is in it twice")
        if entry.kind == HARD_LINK and kinds.get(entry.target) not in (FILE, HARD_LINK):
            raise ArchiveError(
                f"`{entry.path}` is a hard link to a file that does not come before it"
            )
        kinds[entry.path] = entry.kind
    links = {entry.path: entry.target for entry in entries if entry.kind == LINK}
    for entry in entries:
        _check_place(entry, kinds)
    for path in links:
        _check_link(path, links)


def _check_place(entry: ArchiveMember, kinds: dict[str, str]) -> None:
    for parent in _parents(entry.path):
        if kinds.get(parent, FOLDER) != FOLDER:
            raise ArchiveError(f"`{entry.path}` is below `{parent}`, which is not a folder")


def _check_link(path: str, links: Mapping[str, str]) -> None:
    """Check that a symbolic link leads to a place in the archive, through whichever other links.

    It is followed as the system will: no member stands below a link, so these links are all.
    """
    at = path.split("/")[:-1]
    pending = _steps(path, links[path])
    followed = 0
    while pending:
        part = pending.pop()
        here = "/".join([*at, part])
        if part == "..":
            if not at:
                raise ArchiveError(f"`{path}` is a link that leads out of the archive")
            at.pop()
        elif here in links:
            followed += 1
            if followed > _MOST_LINKS:
                raise ArchiveError(f"`{path}` is a link in a circle of links")
            pending += _steps(path, links[here])
        else:
            at.append(part)
    if not at:
        raise ArchiveError(f"`{path}` is a link that leads out of the archive")


def _steps(path: str, target: str) -> list[str]:
    """Return the parts of the target of a link on the way of `path`, the first one last."""
    if posixpath.isabs(target):
        raise ArchiveError(f"`{path}` is a link that leads out of the archive")
    return [part for part in reversed(target.split("/")) if part not in ("", ".")]


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
