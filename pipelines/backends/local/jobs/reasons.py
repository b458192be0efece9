"""Say why a job failed, in at most 1,024 characters, as `FailureReason` has it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, assert_never

from pipelines.backends.local.jobs.isolation import choose
from pipelines.backends.local.jobs.opt_ml import NAMED

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.backends.local.executors.contract import LocalSettings
    from pipelines.backends.local.jobs.spec import HostEnd, Job, JobEnd
    from pipelines.errors import PipelinesError

LONGEST = 1024
_TAIL = 65_536  # bytes at the end of a log that are searched for /opt/ml
_CODES = {
    126: "the program cannot be executed",
    127: "a command was not found",
    130: "ended by SIGINT",
    134: "ended by SIGABRT",
    137: "killed (SIGKILL), probably out of memory",
    139: "ended by SIGSEGV",
    143: "ended by SIGTERM",
}


def failure_text(file: Path) -> str:
    """Read what a job wrote about its failure: the first 1,024 characters, or nothing."""
    if not file.is_file():
        return ""
    with file.open(encoding="utf-8", errors="replace") as text:
        return text.read(LONGEST).strip()


def refused(problem: PipelinesError) -> str:
    """Say why a job was not started."""
    said = f"{problem.problem}; {problem.remedy}" if problem.remedy else problem.problem
    return said[:LONGEST]


def algorithm_error(job: Job, end: HostEnd, text: str, hint: str) -> str:
    """Write the reason of a host's own failure in the service's form, its text cut to fit."""
    head = "AlgorithmError: " + (f"{end.host}: " if len(job.hosts) > 1 else "")
    tail = f"{hint}, {_how(end)}" if text or end.kind != "exec" else _how(end)
    said = text or ("" if end.kind == "exec" else "the job wrote no failure text, see its log")
    return f"{head}{said[: LONGEST - len(head) - len(tail)]}{tail}"


def over_the_limit(seconds: float) -> str:
    """Write the reason of a job that ran too long."""
    return (
        f"the job ran longer than StoppingCondition.MaxRuntimeInSeconds ({seconds:g} s)"
        " and was ended"
    )


def internal(end: JobEnd) -> str | None:
    """Say what this machine failed at, None when the job itself is to blame."""
    for host in end.hosts:
        if host.kind == "setup":
            return f"{host.host} could not be made: {host.text}"[:LONGEST]
        if host.kind == "lost":
            return f"{host.host} was lost: its launcher was killed from outside, with the job"
    return None


def path_hint(job: Job, settings: LocalSettings, log: Path) -> str:
    """Say what a job needs that names /opt/ml itself where paths are rewritten, else nothing."""
    if job.isolation == "namespaces" or not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        tail = file.read().decode(errors="replace")
    if not NAMED.search(tail):
        return ""
    return (
        f" (its log names /opt/ml, but {choose(settings.isolation).why}, so its folder is another:"
        " read SM_* variables or PIPELINES_OPT_ML; a hard-coded path needs Linux namespaces or"
        " an existing writable /opt/ml)"
    )


def _how(end: HostEnd) -> str:
    match end.kind:
        case "exit":
            named = _CODES.get(end.code)
            return f"exit code: {end.code}" + (f" ({named})" if named else "")
        case "exec":
            return f"the program could not be started: {end.text}"
        case "signal" if end.code == signal.SIGKILL:
            return "killed (SIGKILL), probably out of memory"
        case "signal":
            return f"killed by {_signal_name(end.code)}"
        case "setup" | "lost":
            return end.kind
        case _:
            assert_never(end.kind)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have no name
        return f"signal {number}"
