"""Start a job's hosts, wait for them, and end them on a limit, on request, or with each other."""

from __future__ import annotations

import os
import selectors
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipelines.backends.local.jobs.launcher.client import Launcher, start_host
from pipelines.backends.local.jobs.spec import HostCommand, HostEnd, JobEnd, JobLimits, LocalJob
from pipelines.frozen import frozen

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from pipelines.backends.local.jobs.spec import EndCause

_POLL = 0.05  # seconds between checks of the stop event; the end of a host wakes at once
_LAUNCHING = 0.2  # seconds, at most, that a program takes to be loaded
_LAUNCHER_PATIENCE = 10.0  # seconds for a launcher to clean up before it is killed itself


@frozen
class _RunningHost:
    """A running host and its launcher."""

    command: HostCommand
    launcher: Launcher

    def close(self) -> None:
        """Wait for the launcher and close its pipe."""
        if not self.launcher.wait(_LAUNCHER_PATIENCE):
            self.launcher.send_signal(signal.SIGKILL)
            self.launcher.wait(_LAUNCHER_PATIENCE)
        self.launcher.close()

    def end(self) -> HostEnd:
        """Return how the host ended, from the launcher's result."""
        host = self.command.host.name
        kind, rest = self.launcher.result()
        match kind:
            case "exit" | "signal":
                return HostEnd(host, kind, code=int(rest))
            case "exec" | "setup":
                return HostEnd(host, kind, text=rest)
            case _:
                return HostEnd(host, "lost")


class Supervisor:
    """The hosts of one job from start to end; a context manager that leaves none running.

    Args:
        job: the job.
        limits: how long to wait for what.
    """

    def __init__(self, job: LocalJob, limits: JobLimits) -> None:
        self._job = job
        self._limits = limits
        self._running: list[_RunningHost] = []
        self._ended: list[HostEnd] = []
        self._cause: EndCause = "finished"
        self._term_at: float | None = None
        self._kill_at: float | None = None
        self._give_up_at: float | None = None
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._signal(signal.SIGUSR1)
        for running in self._running:
            running.close()
        self._selector.close()

    def run(
        self,
        commands: Sequence[HostCommand],
        stop: threading.Event,
        tick: Callable[[], EndCause | None],
    ) -> JobEnd:
        """Run the hosts to their end, calling `tick` about twenty times a second.

        Args:
            commands: what they start.
            stop: set when they are to end.
            tick: returns why they are to end, else None.
        """
        deadline = time.monotonic() + self._limits.wall
        self._start(commands)
        while self._running:
            for key, _ in self._selector.select(_POLL):
                self._read(key.data)
            now = time.monotonic()
            if stop.is_set():
                self._end("stopped", now)
            elif now >= deadline:
                self._end("limit", now)
            if (cause := tick()) is not None:
                self._end(cause, now)
            self._escalate(now)
        return JobEnd(self._cause, tuple(self._ended))

    def _start(self, commands: Sequence[HostCommand]) -> None:
        network = "own" if self._job.network_isolated else "shared"
        if network == "own" and len(commands) > 1 and self._job.isolation == "namespaces":
            leader = self._start_host(commands[0], "lead")
            leader.launcher.read()  # `ready`: the network that the others join exists
            for command in commands[1:]:
                self._start_host(command, str(leader.launcher.process)).launcher.read()
            leader.launcher.send_signal(signal.SIGUSR2)
        else:
            for command in commands:
                self._start_host(command, network)

    def _start_host(self, command: HostCommand, network: str) -> _RunningHost:
        running = _RunningHost(command, start_host(self._job, command, network))
        self._running.append(running)
        self._selector.register(running.launcher.answers, selectors.EVENT_READ, running)
        return running

    def _read(self, running: _RunningHost) -> None:
        if running.launcher.read():
            return
        self._selector.unregister(running.launcher.answers)
        self._running.remove(running)
        end = running.end()
        running.close()
        if end.kind == "lost":
            kill_orphans(self._job)
        self._ended.append(end)
        if not end.succeeded and self._term_at is None:
            self._term_at = time.monotonic() + self._limits.peers

    def _end(self, cause: EndCause, now: float) -> None:
        if self._kill_at is None and self._cause == "finished":
            self._cause = cause
            self._term_at = now

    def _escalate(self, now: float) -> None:
        """Send what is due: SIGTERM, then the order to kill, then SIGKILL to the launcher."""
        if self._term_at is not None and self._kill_at is None and now >= self._term_at:
            self._signal(signal.SIGTERM)
            self._kill_at = now + self._limits.grace
        elif self._kill_at is not None and self._give_up_at is None and now >= self._kill_at:
            self._signal(signal.SIGUSR1)
            self._give_up_at = now + _LAUNCHER_PATIENCE
        elif self._give_up_at is not None and now >= self._give_up_at:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        for running in self._running:
            running.launcher.send_signal(number)


def kill_orphans(job: LocalJob) -> None:
    """Kill what a killed launcher left behind, found in /proc by the job's TMPDIR.

    A process that is just starting a program has no environment for a moment: it is looked twice.
    """
    mark = f"TMPDIR={job.scratch}".encode()
    for pause in (0.0, _LAUNCHING):
        time.sleep(pause)
        for status in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in status.read_bytes().split(b"\0"):
                    os.kill(int(status.parent.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue  # it has exited, or belongs to another user


def run_hosts(
    job: LocalJob,
    commands: Sequence[HostCommand],
    limits: JobLimits,
    *,
    stop: threading.Event,
    tick: Callable[[], EndCause | None] = lambda: None,
) -> JobEnd:
    """Run a job's hosts to their end; no process of theirs is left when this returns."""
    with Supervisor(job, limits) as supervisor:
        return supervisor.run(commands, stop, tick)
