"""A bigger instance, where memory was nearly used up."""

from __future__ import annotations

from typing import Final

from pipelines.advice.job import ObservedJob, Rule, gigabytes
from pipelines.execution.usage import HostUsage

_FULL: Final = 0.85


def _advise(job: ObservedJob) -> str | None:
    host = max(job.hosts, key=_used)
    used = _used(host)
    if not host.memory_of or used < _FULL * host.memory_of:
        return None
    several = f"{host.processes} processes of up to " if host.processes > 1 else ""
    return (
        f"use {job.bigger}: {several}{gigabytes(host.memory)} at their peak, "
        f"of {gigabytes(host.memory_of)} ({used / host.memory_of:.0%})"
    )


def _used(host: HostUsage) -> float:
    """Return what its processes have used at once, in MiB.

    More than there is they have not: they share pages, as of a mapped file, or took turns.
    """
    return host.memory if host.memory < host.memory_of < host.peak else host.peak


RULE = Rule(10, "instances", _advise)
