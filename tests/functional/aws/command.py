"""Commands of the tool, given in this process or in one of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


class Command(Protocol):
    """Gives a command line to the tool."""

    def __call__(self, *arguments: str | Path, typed: str | None = None) -> Answer:
        """Return what the command left.

        Args:
            arguments: the command line.
            typed: what somebody types at a terminal; None where nobody is there.
        """
