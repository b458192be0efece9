"""A finding of `doctor`."""

from __future__ import annotations

from typing import Final, Literal

from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen

MADE_BY: Final = "or let `pipelines ci init` and `pipelines ci apply` make it"


@frozen
class Check:
    """What was found.

    Args:
        subject: what was looked at.
        verdict: `missing` means that the pipeline will not run; `unknown`, that it could not be
            asked.
        text: what was found.
        remedy: what to do about it.
    """

    subject: str
    verdict: Literal["ok", "missing", "unknown"]
    text: str
    remedy: str | None = None


def ok(subject: str, text: str) -> Check:
    """Make a finding that is as it should be."""
    return Check(subject, "ok", text)


def missing(subject: str, text: str, remedy: str | None) -> Check:
    """Make a finding that has to be fixed."""
    return Check(subject, "missing", text, remedy)


def unknown(subject: str, error: CallRefusedError) -> Check:
    """Make a finding that may not be asked for."""
    return Check(subject, "unknown", error.problem, error.remedy)
