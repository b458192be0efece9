"""Which SQLite journal a folder can carry.

WAL needs shared memory between the processes that use a file, which network file systems do not
give; there SQLite's rollback journal is right. The decision reads the mount table, because WAL
on such a file system corrupts silently instead of failing.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Literal, TypeAlias

Journal: TypeAlias = Literal["WAL", "DELETE"]

_SHARED = ("nfs", "cifs", "smb", "9p", "lustre", "fuse.", "ceph", "gfs", "virtiofs", "afs")
_MOUNTS = Path("/proc/self/mounts")


def journal_for(folder: Path) -> Journal:
    """Say which journal a database in an existing folder should use."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:  # no Linux: SQLite's own check of the file system decides
        return "WAL"
    return journal_from(folder.resolve(), mounts)


def journal_from(folder: PurePath, mounts: str) -> Journal:
    """Decide by a mount table in the form of `/proc/self/mounts`; the deepest mount counts."""
    best, kind = PurePath("/"), ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        point = PurePath(fields[1].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, fields[2]
    return "DELETE" if kind.startswith(_SHARED) else "WAL"
