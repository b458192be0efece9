"""The end of a child → the text of the failure file (FACTS 3.4, 11.5)."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import NamedTuple

from .child import Ended
from .errors import MARK

LIMIT = 1024  # bytes
_HEADER = "Traceback (most recent call last):"  # may follow other text, such as a prompt
_GROUP = "  | "  # before each line of an exception group
_RANK = re.compile(r"\[rank(\d+)\]: ?")
_AGENT = re.compile(r"torch\.distributed\.elastic\.\S*(ChildFailedError|SignalException)")
_LOST_PEER = re.compile(
    r"Connection (closed|reset|refused)|peer|Socket Timeout|broken pipe", re.IGNORECASE
)
_ROOT_CAUSE = re.compile(r"rank\s*:\s*(\d+).*?exitcode\s*:\s*(-?\d+)", re.DOTALL)
_MPI_ABORT = re.compile(r"MPI_ABORT\s+was\s+invoked\s+on\s+rank\s+(\d+)")
_MPI_END = re.compile(  # mpirun breaks its lines at any blank
    r"process\s+rank\s+(?P<rank>\d+)\s+with\s+PID\s+\d+\s+on\s+node\s+\S+\s+exited\s+on\s+signal"
    r"\s+(?P<signal>\d+)"
    r"|Process\s+name:\s+\[\S*?(?P<name>\d+)\]\s+Exit\s+code:\s+(?P<code>\d+)"
)
_RULE = re.compile(r"-{40,}")
"""The line that begins a report of mpirun."""
_MESSAGE_LINES = 6
_CUT = "…"


class Raised(NamedTuple):
    """A traceback in the output: the rank that wrote it, its frames, and its last lines."""

    rank: str | None
    frames: list[str]
    message: str


class RankEnd(NamedTuple):
    """How a rank ended: its exit code, negative for a signal; 1 if Python raised."""

    rank: str
    code: int


def reason(ended: Ended, code_folder: Path) -> str:
    """Return why a child has failed: the exception, else the exit code and the last output."""
    if ended.stopped is not None:
        return f"stopped by {_name(ended.stopped)}"
    tail = ended.tail.replace(f"{code_folder}/", "").replace("\r\n", "\n").replace("\0", "")
    root = _root_cause(tail, ended.code)
    raised = _cause(tail, RankEnd("", ended.code) if root is None else root)
    if raised is not None:
        rank = raised.rank or (root.rank if root is not None else None)
        where = f"rank {rank}: " if rank else ""
        return _fit(f"{where}{raised.message}\n", "\n".join(raised.frames))
    how = _exit(ended.code) if root is None else f"rank {root.rank}: {_exit(root.code)}"
    output = _last_lines(tail)
    return _fit(f"{how}\nThe output ended with:\n", output) if output else how


def program_reason(ended: Ended, code_folder: Path) -> str:
    """Return why a built-in program has failed: its own message, where it wrote one."""
    _, mark, message = f"\n{ended.tail}".rpartition(f"\n{MARK}")
    return message.strip() if mark else reason(ended, code_folder)


def is_last(text: str, log: str) -> bool:
    """Return whether a log already ends with what a reason begins with."""
    first = text.splitlines()[0]
    lines = [line.rstrip() for line in log.splitlines() if line.strip()][-_MESSAGE_LINES:]
    return first in lines or f"{MARK}{first}" in lines


def write(path: Path, text: str) -> None:
    """Write the failure file: UTF-8, at most 1024 bytes, the job's own text first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.read_text("utf-8", "replace").strip() if path.is_file() else ""
    text = f"{written}\n{text}" if written else text
    path.write_bytes(text.encode("utf-8", "replace")[:LIMIT].decode("utf-8", "ignore").encode())


def _cause(tail: str, end: RankEnd) -> Raised | None:
    """Find the traceback that ended the job: not torchrun's own, nor that of a lost peer.

    A rank that has raised may be aborted while it exits, by a thread that outlives the
    interpreter (gloo's do); the cause is still what it raised.
    """
    found = [raised for raised in _tracebacks(tail) if not _AGENT.match(raised.message)]
    own = [raised for raised in found if not _LOST_PEER.search(raised.message)]
    if end.code == -signal.SIGABRT:
        candidates = [raised for raised in own if (raised.rank or "") == end.rank]
    else:
        candidates = (own or found) if end.code == 1 else []
    first = [raised for raised in candidates if raised.rank == end.rank]
    return (first or candidates)[-1] if candidates else None


def _tracebacks(tail: str) -> list[Raised]:
    """Split the output by rank, as PyTorch marks its lines, and find each rank's tracebacks."""
    by_rank: dict[str | None, list[str]] = {}
    for line in tail.split("\n"):
        mark = _RANK.match(line)
        rank, text = (mark[1], line[mark.end() :]) if mark else (None, line)
        by_rank.setdefault(rank, []).append(text)
    return [raised for rank, lines in by_rank.items() for raised in _of_one_rank(rank, lines)]


def _of_one_rank(rank: str | None, lines: list[str]) -> list[Raised]:
    found = []
    lines = [line[len(_GROUP) :] if line.startswith(_GROUP) else line for line in lines]
    starts = [index for index, line in enumerate(lines) if line.endswith(_HEADER)]
    for number, start in enumerate(starts):
        stop = starts[number + 1] if number + 1 < len(starts) else len(lines)
        block = lines[start + 1 : stop]
        frames = next((i for i, line in enumerate(block) if line[:1] != " "), len(block))
        message = _message(block[frames:])
        if message:
            found.append(Raised(rank, block[:frames], message))
    return found


def _message(lines: list[str]) -> str:
    """Return the exception's own lines: up to an empty one or mpirun's report, at most a few."""
    ends = (i for i, line in enumerate(lines) if not line.strip() or _RULE.fullmatch(line))
    stop = next(ends, len(lines))
    return "\n".join(lines[: min(stop, _MESSAGE_LINES)])


def _root_cause(tail: str, code: int) -> RankEnd | None:
    """Read which rank ended first, and how: from the report of torchrun, which ends with 1, or MPI.

    mpirun may also blame a rank that has only lost the first one: that is not read.
    """
    _, report, rest = tail.rpartition("Root Cause")
    found = _ROOT_CAUSE.search(rest) if report and code == 1 else None
    if found is not None:
        return RankEnd(found[1], int(found[2]))
    aborted, ended = _MPI_ABORT.search(tail), _MPI_END.search(tail)
    if aborted is not None:
        return RankEnd(aborted[1], code)
    if ended is not None:
        return RankEnd(ended["rank"] or ended["name"], int(ended["code"] or -int(ended["signal"])))
    return None


def _exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    memory = "; out of memory?" if -code == signal.SIGKILL else ""
    return f"killed by {_name(-code)}{memory}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_lines(tail: str) -> str:
    return "\n".join(line.rpartition("\r")[2] for line in tail.split("\n") if line.strip())


def _fit(head: str, end: str) -> str:
    """Join a head and as much of the end of a text as fits the limit."""
    room = LIMIT - len(head.encode("utf-8", "replace")) - len(_CUT.encode())
    kept = end.encode("utf-8", "replace")
    if len(kept) <= room:
        return head + end
    return head + _CUT + kept[len(kept) - max(room, 0) :].decode("utf-8", "ignore")
