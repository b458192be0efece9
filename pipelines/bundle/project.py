"""The files of the user's project: the folder that the spec file lies in."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.frozen import frozen

IGNORED = frozenset(
    {"__pycache__", ".git", ".pipelines", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)
"""Folders that are never part of a bundle or of data."""


Sort: TypeAlias = Literal["file", "folder", "device"]


@frozen
class Listing:
    """What lies below a folder of the project.

    Args:
        files: every file, sorted.
        outside: the links that lead out of the project; their files are among `files`.
        circles: the folders that lie within themselves by a link; they are not followed.
        dead: the links that lead to nothing.
        devices: pipes, sockets, devices and links to them; they are not among `files`.
        not_utf8: what has a name that is not UTF-8; it is not among `files`.
    """

    files: tuple[str, ...]
    outside: tuple[str, ...]
    circles: tuple[str, ...]
    dead: tuple[str, ...]
    devices: tuple[str, ...]
    not_utf8: tuple[str, ...]


class _Found:
    """What a listing is made of, while it is gathered."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.outside: list[str] = []
        self.circles: list[str] = []
        self.dead: list[str] = []
        self.devices: list[str] = []
        self.not_utf8: list[str] = []

    def sorted(self) -> Listing:
        return Listing(*(tuple(sorted(paths)) for paths in vars(self).values()))


def _kind(entry: os.DirEntry[str]) -> Sort:
    if entry.is_dir():
        return "folder"
    return "file" if entry.is_file() else "device"


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


@frozen
class Project:
    """A project folder; every path is relative to it, with `/` between names."""

    root: FilePath

    def names_inside(self, relative: str) -> bool:
        """Return whether a path as it is written leads into the project; links are not followed."""
        plain = PurePosixPath(os.path.normpath(relative))
        return not plain.is_absolute() and plain.parts[:1] != ("..",)

    def read(self, relative: str) -> bytes:
        """Read a file's bytes."""
        return (self.root / relative).read_bytes()

    def sort(self, relative: str) -> Sort | None:
        """Return what is there; None for nothing, and where no file can have that name."""
        try:
            mode = os.stat(os.path.join(self.root, relative)).st_mode  # noqa: PTH116, PTH118 - often
        except OSError:
            return None
        if stat.S_ISDIR(mode):
            return "folder"
        return "file" if stat.S_ISREG(mode) else "device"

    def is_file(self, relative: str) -> bool:
        """Return whether there is a file of that name."""
        return self.sort(relative) == "file"

    def names(self, relative: str) -> frozenset[str]:
        """List the names in a folder."""
        return frozenset(os.listdir(self.root / relative))  # noqa: PTH208 - names, no paths

    def is_executable(self, relative: str) -> bool:
        """Return whether its owner may execute a file: a part of a bundle's identity."""
        return bool((self.root / relative).stat().st_mode & 0o100)

    def listing(self, relative: str) -> Listing:
        """List what lies below a folder, or the file itself, links followed.

        Caches are left out, and what editors lock with: hidden links to nothing, pipes, sockets.
        """
        found = _Found()
        path = PurePosixPath(relative)
        kind = self.sort(relative)
        if kind == "file":
            self._note_link(path, kind, found)
        self._take(path, kind, (), found)
        return found.sorted()

    def _walk(
        self, folder: PurePosixPath, above: tuple[tuple[int, int], ...], found: _Found
    ) -> None:
        """Gather what lies in a folder; `above` are the real folders that lead to it."""
        here = (self.root / folder).stat()
        if (here.st_dev, here.st_ino) in above:
            found.circles.append(str(folder))
            return
        above = (*above, (here.st_dev, here.st_ino))
        for entry in os.scandir(self.root / folder):
            if entry.name in IGNORED or entry.name.endswith(".pyc"):
                continue
            path = folder / entry.name
            kind = self.sort(str(path)) if entry.is_symlink() else _kind(entry)
            if entry.is_symlink():
                self._note_link(path, kind, found)
            self._take(path, kind, above, found)

    def _take(
        self,
        path: PurePosixPath,
        kind: Sort | None,
        above: tuple[tuple[int, int], ...],
        found: _Found,
    ) -> None:
        """Gather what a path stands for."""
        if not _is_utf8(path.name):
            found.not_utf8.append(str(path))
            return
        match kind:
            case "file":
                found.files.append(str(path))
            case "folder":
                self._walk(path, above, found)
            case "device" if not path.name.startswith("."):
                found.devices.append(str(path))

    def _note_link(self, path: PurePosixPath, kind: Sort | None, found: _Found) -> None:
        if kind is None and not path.name.startswith("."):
            found.dead.append(str(path))
        elif kind in ("file", "folder") and not self.is_inside(str(path)):
            found.outside.append(str(path))

    def is_inside(self, relative: str) -> bool:
        """Return whether a path lies in the project, links followed."""
        real = FilePath(os.path.realpath(self.root / relative))
        return real.is_relative_to(os.path.realpath(self.root))

    def files(self, relative: str) -> tuple[str, ...]:
        """List the files below a folder (or the file itself), sorted, links followed."""
        return self.listing(relative).files

    def glob(self, pattern: str) -> tuple[str, ...]:
        """List what an `include:` entry names: a file, a folder, or what a pattern matches."""
        if not self.names_inside(pattern):
            return ()
        if self.sort(pattern) is not None:
            return (pattern,)
        try:
            matches = sorted(p.relative_to(self.root).as_posix() for p in self.root.glob(pattern))
        except (OSError, ValueError):  # no file can have that name, or it is no pattern
            return ()
        return tuple(
            m for m in matches if self.is_file(m) and not IGNORED & set(PurePosixPath(m).parts)
        )


def of_links(listing: Listing, path: Path) -> Iterator[Finding]:
    """Find what a listing could not follow or name; `path` is where the spec names its folder."""
    for folder in listing.circles:
        message = f"`{folder}` lies within itself by a link"
        yield Finding("SP307", message, path, help="remove the link, or name a folder without it")
    for link in listing.dead:
        message = f"`{link}` is a link to nothing and is left out"
        yield Finding("SP307", message, path, severity=Severity.WARNING)
    for name in listing.devices:
        message = f"`{name}` is neither a file nor a folder and is left out"
        help_text = "a pipe, a socket or a device holds nothing that could be copied"
        yield Finding("SP307", message, path, severity=Severity.WARNING, help=help_text)
    for name in listing.not_utf8:
        message = f"the name of {name!r} is not UTF-8, as names in S3 are"
        yield Finding("SP308", message, path, help="rename the file")


def advice_on(missing: str) -> str:
    """Say how a path that does not exist should have been written."""
    if "\\" in missing:
        return f"write `{missing.replace(chr(92), '/')}`"
    if any(letter in missing for letter in "*?"):
        return "a path is no pattern: name the folder"
    if missing.startswith("~"):
        return "`~` has no meaning here: paths are relative to the spec file's folder"
    return "paths are relative to the spec file's folder"
