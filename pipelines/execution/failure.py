"""A job's FailureReason and its log → what is shown of a failure, the reason said once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipelines.runtime.usage import TAG

NAMES_OPT_ML = "; its log names /opt/ml"
DISK_FULL = "; the disk is full"
KEPT = "; its folder is kept: "
"""What the reason of a local job ends with, after the job's own text and its exit code."""

TAIL_LINES = 20
"""How many lines of a failed step's log are shown; a longer traceback is shown whole."""

_MOST_LINES = 100
_CATEGORY = re.compile(r"AlgorithmError: (?:(?P<host>algo-\d+): )?(?:rank (?P<rank>\d+): )?")
_EXIT = re.compile(r", (?:exit code: |killed |the program could not be started: ).*$")
_REMARKS = re.compile(f"{NAMES_OPT_ML}|{DISK_FULL}|{KEPT}")
_HEADER = "Traceback (most recent call last):"
_STARTS_RANKS = re.compile(
    r'  File "(<frozen runpy>|.*/runpy\.py|.*/mpi4py/(__main__|run)\.py)", line \d+'
)
"""A frame of what starts a rank of mpirun: it says nothing about the script."""
_OWN = "pipelines: "
_REPEATED = f"{_OWN}the job failed: "
_NUL = "\0"
"""What mpirun of Open MPI 5 writes at its end, as a line."""


def failed_host(reason: str | None) -> str | None:
    """Return the host that a reason names (`AlgorithmError: algo-2: …`); None where it names none.

    The other hosts were ended because of it, and wrote about that.
    """
    named = _CATEGORY.match(reason or "")
    return named["host"] if named else None


def remarks(reason: str | None) -> list[str]:
    """Return what this machine adds to a reason: a hint, and where the job's folder is kept."""
    text = reason or ""
    starts = [found.start() for found in _REMARKS.finditer(text)]
    ends = [*starts[1:], len(text)]
    return (
        [text[a:b].removeprefix("; ") for a, b in zip(starts, ends, strict=True)] if starts else []
    )


def without_remarks(reason: str | None) -> str:
    """Return a reason as the service would word it."""
    return _REMARKS.split(reason or "", maxsplit=1)[0]


def headline(reason: str | None) -> str:
    """Return the first line of a reason: what failed, without the remarks of this machine."""
    return without_remarks(reason).partition("\n")[0]


def excerpt(log: Sequence[str], reason: str | None) -> tuple[str, ...]:
    """Choose the lines of a log that explain a failure.

    Of several ranks it is the one that the reason names. They end with the exception that is
    the reason; where the log has none, they are the last lines.
    """
    lines = _of_rank(log, reason)
    ends = _ends(lines, reason)
    if ends is None:
        return tuple(lines[-TAIL_LINES:])
    headers = [i for i, line in enumerate(lines[:ends]) if line.endswith(_HEADER)]
    start = max(0, ends - TAIL_LINES)
    if headers:
        start = max(min(start, headers[-1]), ends - _MOST_LINES, 0)
    return tuple(_begun_in_the_script(lines[start:ends]))


def is_said(log: Sequence[str], reason: str | None) -> bool:
    """Return whether lines of a log already have the first line of a reason."""
    return _ends(log, reason) is not None


def _begun_in_the_script(lines: Sequence[str]) -> Iterator[str]:
    """Leave out the frames with which a traceback begins where mpi4py has started the script."""
    is_first, is_left_out = False, False
    for line in lines:
        if line.startswith("  File "):
            is_left_out = is_first and _STARTS_RANKS.match(line) is not None
            is_first = is_left_out
        elif not line.startswith("    "):
            is_first, is_left_out = line.endswith(_HEADER), False
        if not is_left_out:
            yield line


def _of_rank(log: Sequence[str], reason: str | None) -> list[str]:
    """Return the lines of the rank that a reason names, all where the log does not tell ranks."""
    lines = [line for line in log if not line.startswith((_REPEATED, TAG)) and line != _NUL]
    named = _CATEGORY.match(reason or "")
    if named and named["rank"]:
        mark = re.compile(rf"\[rank{named['rank']}\]: ?")
        own = [line[found.end() :] for line in lines if (found := mark.match(line))]
        if _ends(own, reason) is not None:
            return own
    return lines


def _ends(lines: Sequence[str], reason: str | None) -> int | None:
    """Return where the exception that a reason begins with ends in a log."""
    said = [_EXIT.sub("", line) for line in _text(reason).splitlines()]
    if not said or not said[0]:
        return None
    found = [i for i, line in enumerate(lines) if line.removeprefix(_OWN) == said[0]]
    if not found:
        return None
    end = found[-1]
    for line, other in zip(lines[end:], [lines[end], *said[1:]], strict=False):
        if line != other:
            break
        end += 1
    return end


def _text(reason: str | None) -> str:
    """Return what the job itself said in a reason."""
    text = without_remarks(reason)
    named = _CATEGORY.match(text)
    return text[named.end() :] if named else text
