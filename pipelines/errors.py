"""The error tree: what ends a command, and with which exit code.

A *diagnostic* says that the user's file is wrong (`pipelines.diagnostics`); a
`PipelinesError` says that this command cannot go on; anything else is our bug.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

_FREE = "free at"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_OUTSIDE = {
    *(*_FULL, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO),
    *(errno.EMFILE, errno.ENFILE, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR),
    *(errno.EAGAIN, errno.ENOMEM, errno.ELOOP, errno.ENXIO, errno.ESTALE, errno.EBUSY),
}


def from_outside(error: OSError, place: Path | None = None) -> str | None:
    """Word what a disk, a permission or a limit may say at any time; None for our own bug.

    Args:
        error: what was raised.
        place: where something was written, for an error that does not say it.
    """
    if error.errno not in _OUTSIDE:
        return None
    named = error.filename if isinstance(error.filename, str | bytes) else place
    if named is None:
        return f"output: {error.strerror}"  # of what a terminal or a pipe leads to
    where = Path(os.fsdecode(named))
    return f"{where}: {located(error, where).strerror}"


def located(error: OSError, place: Path) -> OSError:
    """Return an error that says where it was, and of a full disk what is free now.

    Whoever writes calls it at once: the files that did not fit are removed before anybody reads of
    it.
    """
    said = str(error.strerror)
    if error.errno in _FULL and _FREE not in said:
        said = f"{said} ({free_space(place)})"
    return OSError(error.errno, said, error.filename or str(place))


def free_space(path: Path) -> str:
    """Return what is free on the disk of a file or folder, which need not exist."""
    for folder in (path, *path.absolute().parents):
        with suppress(OSError):
            found = os.statvfs(folder)
            free, whole = (n * found.f_frsize / 2**20 for n in (found.f_bavail, found.f_blocks))
            return f"{free:,.1f} of {whole:,.1f} MB {_FREE} {folder}"
    return "what is free there is not known"


class PipelinesError(Exception):
    """A command cannot go on.

    Args:
        problem: what is wrong, in the user's own words.
        remedy: what to do about it, or None where there is nothing to say.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, remedy: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class UsageError(PipelinesError):
    """The command line asks for something that is not there."""

    exit_code = 2


class SpecError(PipelinesError):
    """The user's file does not hold: its diagnostics were printed."""

    exit_code = 3


class RefusedError(PipelinesError):
    """A service refused a call, or could not be reached."""

    exit_code = 4


class ExecutionFailedError(PipelinesError):
    """A pipeline execution failed."""

    exit_code = 5


class ChangesPendingError(PipelinesError):
    """`plan --check` found something to do."""

    exit_code = 6
