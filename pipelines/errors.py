"""The error tree: what ends a command, and with which exit code.

A *diagnostic* says that the user's file is wrong (`pipelines.diagnostics`); a
`PipelinesError` says that this command cannot go on; anything else is our bug.
"""

from __future__ import annotations

import errno
from typing import ClassVar

_OUTSIDE = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO),
    *(errno.EMFILE, errno.ENFILE, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR),
    *(errno.EAGAIN, errno.ENOMEM),
}


def from_outside(error: OSError) -> str | None:
    """Word what a disk, a permission or a limit may say at any time; None for our own bug."""
    if error.errno not in _OUTSIDE:
        return None
    return f"{error.filename or 'output'}: {error.strerror}"


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
