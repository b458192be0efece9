"""The files of the user's project: the folder that the spec file lies in."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from pipelines.frozen import frozen

IGNORED = frozenset(
    {"__pycache__", ".git", ".pipelines", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)
"""Folders that are never part of a bundle or of data."""


@frozen
class Project:
    """A project folder; every path is relative to it, with `/` between names."""

    root: Path

    def resolve(self, relative: str) -> Path | None:
        """Find a file or folder; None when it lies outside the project, links followed."""
        pure = PurePosixPath(relative)
        if pure.is_absolute():
            return None
        root = self.root.resolve()
        found = Path(os.path.realpath(root / pure))  # Path.resolve gives up on a loop of links
        return root / os.path.normpath(pure) if found.is_relative_to(root) else None

    def read(self, relative: str) -> bytes:
        """Read a file's bytes."""
        return (self.root / relative).read_bytes()

    def sort(self, relative: str) -> Literal["file", "folder", "device"] | None:
        """Return what is there; None for nothing, and where no file can have that name."""
        try:
            mode = (self.root / relative).stat().st_mode
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
        return frozenset(entry.name for entry in (self.root / relative).iterdir())

    def is_executable(self, relative: str) -> bool:
        """Return whether its owner may execute a file: a part of a bundle's identity."""
        return bool((self.root / relative).stat().st_mode & 0o100)

    def files(self, relative: str) -> Iterator[str]:
        """List the files below a folder (or the file itself), sorted.

        Caches are left out, and what holds no bytes: links to nothing (editors lock with them),
        pipes, sockets.
        """
        start = self.root / relative
        if self.is_file(relative):
            yield str(PurePosixPath(relative))
            return
        found: list[str] = []
        for folder, folders, names in os.walk(start):
            folders[:] = [f for f in folders if f not in IGNORED]
            base = Path(folder).relative_to(self.root)
            found.extend((base / n).as_posix() for n in names if not n.endswith(".pyc"))
        yield from filter(self.is_file, sorted(found))

    def glob(self, pattern: str) -> tuple[str, ...]:
        """List the files that an `include:` entry names: a file, a folder or a pattern."""
        if self.resolve(pattern) is not None and self.sort(pattern) is not None:
            return tuple(self.files(pattern))
        if ".." in PurePosixPath(pattern).parts or PurePosixPath(pattern).is_absolute():
            return ()
        try:
            matches = sorted(p.relative_to(self.root).as_posix() for p in self.root.glob(pattern))
        except (OSError, ValueError):  # no file can have that name, or it is no pattern
            return ()
        return tuple(
            m for m in matches if self.is_file(m) and not IGNORED & set(PurePosixPath(m).parts)
        )
