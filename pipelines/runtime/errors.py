"""The error that ends a job, and how a program passes it on."""

from __future__ import annotations

MARK = "pipelines: "
"""Precedes the message of a built-in program's JobError, on a line of its own."""


class JobError(Exception):
    """The job has failed; the message is the text of its failure file.

    Args:
        message: what is wrong and what to do, for the reader of `FailureReason`.
        exit_code: the exit code of the job, not 0.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
