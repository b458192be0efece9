"""The one way in which the runtime says that a job cannot go on."""

from __future__ import annotations

MARK = "pipelines: "
"""Stands before what a built-in program says of its failure, on a line of its own."""


class JobError(Exception):
    """The job has failed; the message is the text of its failure file.

    Args:
        message: what is wrong and what to do, for the reader of `FailureReason`.
        exit_code: the exit code of the job, not 0.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
