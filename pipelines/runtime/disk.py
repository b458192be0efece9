"""What a full disk says, when it ends a job: where, and what is free."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable

_FULL = (errno.ENOSPC, errno.EDQUOT)
_OUTSIDE = (
    *_FULL,
    errno.EFBIG,
    errno.EIO,
    errno.EROFS,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
)
_SAID = ("No space left on device", "Disk quota exceeded")
_UNITS = ("B", "KB", "MB", "GB", "TB")
_STEP = 1024


def outside(error: OSError, folders: Iterable[str]) -> str:
    """Return what the machine refused and what is free; empty if the error is no such refusal.

    Args:
        error: what was raised.
        folders: the folders that the job writes to, the likeliest first.
    """
    if error.errno not in _OUTSIDE:
        return ""
    folders = list(folders)
    where = folders[0] if error.filename is None else os.fsdecode(error.filename)
    text = f"{where}: {error.strerror}"
    return with_free_space(text, [where, *folders]) if error.errno in _FULL else text


def with_free_space(text: str, folders: Iterable[str]) -> str:
    """Return a text with what is free behind its first line, if it is that of a full disk."""
    if not any(said in text for said in _SAID):
        return text
    first, line_break, rest = text.partition("\n")
    free = ", ".join(_free(folders))
    return f"{first} ({free}){line_break}{rest}" if free else text


def _free(folders: Iterable[str]) -> Iterable[str]:
    """Yield what is free on the disk of each folder, each disk once."""
    seen = set()
    for folder in folders:
        path = folder
        while path and not os.path.isdir(path):  # noqa: PTH112 - no pathlib needed
            path = os.path.dirname(path)  # noqa: PTH120 - as above
        try:
            disk, found = os.stat(path).st_dev, os.statvfs(path)  # noqa: PTH116 - as above
        except OSError:
            continue
        if disk not in seen:
            seen.add(disk)
            free, whole = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
            yield f"{_shown(free)} of {_shown(whole)} free at {path}"


def _shown(size: float) -> str:
    for unit in _UNITS[:-1]:
        if size < _STEP:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _STEP
    return f"{size:.1f} {_UNITS[-1]}"
