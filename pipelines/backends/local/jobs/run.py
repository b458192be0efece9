"""Run a prepared job and explain how it ended: what processing and training share."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from typing import TYPE_CHECKING, assert_never

from pipelines.backends.local.jobs.environment import (
    command_words,
    host_environment,
    withheld_variables,
)
from pipelines.backends.local.jobs.isolation import choose
from pipelines.backends.local.jobs.layers import show_layers
from pipelines.backends.local.jobs.opt_ml import NAMED
from pipelines.backends.local.jobs.spec import (
    REASON_LENGTH,
    HostCommand,
    HostEnd,
    JobEnd,
    LocalJob,
)
from pipelines.backends.local.jobs.states import JobStatus
from pipelines.backends.local.jobs.supervise import run_hosts
from pipelines.backends.local.kept import SCRATCH_FILE, keep
from pipelines.errors import free_space
from pipelines.execution.failure import DISK_FULL, KEPT, NAMES_OPT_ML
from pipelines.frozen import frozen
from pipelines.runtime.agent import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pipelines.backends.local.jobs.kind import JobOrder
    from pipelines.backends.local.jobs.spec import ContainerCommand, EndCause
    from pipelines.backends.local.settings import LocalSettings

PLATFORM_FAULT = "SageMaker.JOB_INTERNAL_ERROR"
_FULL = 65_536  # bytes that are left on a disk that is full
_LOG_TAIL = 65_536  # bytes at the end of a log that are searched for /opt/ml
_EXIT_CODES = {
    126: "the program cannot be executed",
    127: "a command was not found",
    130: "ended by SIGINT",
    134: "ended by SIGABRT",
    137: "killed (SIGKILL), probably out of memory",
    139: "ended by SIGSEGV",
    143: "ended by SIGTERM",
}


@frozen
class LocalJobResult:
    """What became of a job.

    Args:
        end: how it ended.
        reason: why it failed, None when it did not.
        fault: the service's exception type when this machine is at fault.
        logs: the logs, one per host.
    """

    end: JobEnd
    reason: str | None
    fault: str | None
    logs: Sequence[Path]

    @property
    def status(self) -> JobStatus:
        """The status of the job; exceeding the time limit stops it, with a reason."""
        if self.end.cause in ("stopped", "limit"):
            return JobStatus.STOPPED
        return JobStatus.FAILED if self.reason else JobStatus.COMPLETED


def run_job(
    order: JobOrder,
    job: LocalJob,
    container: ContainerCommand,
    tick: Callable[[], EndCause | None],
) -> LocalJobResult:
    """Start the hosts, wait for them, and return the result.

    Args:
        order: the job.
        job: the job, laid out.
        container: what its hosts start.
        tick: called often; returns why the hosts are to end, else None.
    """

    def look() -> EndCause | None:
        order.progress.tick()
        return tick()

    requested = {**container.environment, **_key(job)}
    commands = [
        HostCommand(
            host,
            command_words(job, host, container.words, order.settings),
            host_environment(job, host, order.settings, requested=requested, outside=os.environ),
            order.logs / f"{host.name}.log",
        )
        for host in job.hosts
    ]
    (order.logs / SCRATCH_FILE).write_text(str(job.scratch), encoding="utf-8")
    for command in commands:
        with command.log.open("a", encoding="utf-8") as log:
            log.writelines(f"{line}\n" for line in _warnings(order, job, container))
    end = run_hosts(job, commands, container.limits, stop=order.stop, tick=look)
    fault = PLATFORM_FAULT if _platform_reason(end) and end.cause == "finished" else None
    reason = _reason(order, job, container, end)
    if reason is not None and fault is None:
        show_layers(host.root for host in job.hosts)
        keep(job.folder)
    return LocalJobResult(end, reason, fault, [one.log for one in commands])


def _key(job: LocalJob) -> dict[str, str]:
    """Return what the hosts of a job know each other by: others share this machine's ports."""
    return {KEY: secrets.token_hex(16)} if len(job.hosts) > 1 else {}


def _warnings(order: JobOrder, job: LocalJob, container: ContainerCommand) -> list[str]:
    lines = []
    if job.network_isolated and job.isolation == "rewrite":
        why = choose(order.settings.isolation).why
        lines.append(f"warning: EnableNetworkIsolation has no effect here: {why}")
    if names := withheld_variables(container.environment):
        lines.append(
            f"warning: withheld, because a local job must not reach AWS: {', '.join(names)}"
        )
    return [*lines, *container.remarks]


def _reason(order: JobOrder, job: LocalJob, container: ContainerCommand, end: JobEnd) -> str | None:
    """Return why a job failed, as `FailureReason` has it; None when it did not."""
    kept = f"{KEPT}{job.folder}"
    if end.cause == "limit":
        return (
            "the job ran longer than StoppingCondition.MaxRuntimeInSeconds"
            f" ({container.limits.wall:g} s) and was ended{kept}"
        )
    failure = end.failure
    if failure is None or end.cause in ("stopped", "interrupted"):
        return None
    platform = _platform_reason(end)
    if platform:
        return platform
    texts = {one.name: _failure_text(one.ml / container.failure) for one in job.hosts}
    text = texts[failure.host]
    failure = _source(end, failure, texts)
    host = next(one for one in job.hosts if one.name == failure.host)
    hint = _path_hint(job, order.settings, order.logs / f"{host.name}.log") + _disk_hint(
        order.settings, text
    )
    return _algorithm_error(job, failure, text, hint, kept)


def _source(end: JobEnd, failure: HostEnd, texts: Mapping[str, str]) -> HostEnd:
    """Return the host whose failure the first one tells of.

    Under mpirun all hosts end with the words of the master, whose log has the ranks' output.
    """
    text = texts[failure.host]
    same = next((name for name in texts if text and texts[name] == text), failure.host)
    return next((one for one in end.hosts if one.host == same and not one.succeeded), failure)


def _platform_reason(end: JobEnd) -> str | None:
    """Return what failed on this machine; None when the failure is the job's own."""
    for host in end.hosts:
        if host.kind == "setup":
            return f"{host.host} could not be set up: {host.text}"[:REASON_LENGTH]
        if host.kind == "lost":
            return f"{host.host} was lost: its launcher was killed from outside, with the job"
    return None


def _failure_text(file: Path) -> str:
    """Read the job's own failure text: its first 1,024 characters, or nothing."""
    if not file.is_file():
        return ""
    with file.open(encoding="utf-8", errors="replace") as text:
        return text.read(REASON_LENGTH).strip()


def _algorithm_error(job: LocalJob, end: HostEnd, text: str, hint: str, kept: str) -> str:
    """Write the reason of a host's own failure in the service's form, its text cut to fit."""
    head = "AlgorithmError: " + (f"{end.host}: " if len(job.hosts) > 1 else "")
    how = f", {_how(end)}" if text or end.kind != "exec" else _how(end)
    tail = f"{how}{hint}{kept}"
    shown = text or ("" if end.kind == "exec" else "the job wrote no failure text, see its log")
    return f"{head}{shown[: REASON_LENGTH - len(head) - len(tail)]}{tail}"


def _disk_hint(settings: LocalSettings, text: str) -> str:
    """Explain a job that could not even write why it failed; else nothing."""
    if text or shutil.disk_usage(settings.home).free > _FULL:
        return ""
    return f"{DISK_FULL}: {free_space(settings.home)}"


def _path_hint(job: LocalJob, settings: LocalSettings, log: Path) -> str:
    """With rewritten paths, explain a failure whose log names /opt/ml; else nothing."""
    if job.isolation == "namespaces" or not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_TAIL))
        tail = file.read().decode(errors="replace")
    if not NAMED.search(tail):
        return ""
    return (
        f"{NAMES_OPT_ML}, but {choose(settings.isolation).why}, so its folder is another:"
        " read SM_* variables or PIPELINES_OPT_ML; a hard-coded path needs Linux namespaces"
    )


def _how(end: HostEnd) -> str:
    match end.kind:
        case "exit":
            named = _EXIT_CODES.get(end.code)
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
