"""More processes on each host, where one keeps one processor or one GPU busy of several."""

from __future__ import annotations

from typing import Final

from pipelines.advice.job import ObservedJob, Rule, time_of
from pipelines.advice.sizes import is_several_times_the_smallest
from pipelines.execution.usage import GpuUsage, HostUsage

_FEW: Final = 1.25
"""Processors that a process keeps busy which computes on one, loading its data included."""

_HALF: Final = 0.5
"""Below it code waits for something else, such as a machine that does other things, too."""

_LEAST_CPUS: Final = 4

_ONE_PROCESS: Final = "tensorflow"
"""The launcher whose one process on a host computes on all its GPUs and CPUs."""


def _advise(job: ObservedJob) -> str | None:
    host, gpus = job.busiest, job.busiest_gpus
    is_unknown = gpus is None and job.has_accelerators  # what these do: their CPUs only feed them
    if host.launcher == _ONE_PROCESS or is_unknown:
        return None
    if job.is_local:
        return _elsewhere(job, host)
    if gpus is not None:
        return _per_gpu(job, host, gpus)
    used = host.cpu / host.wall
    if used > _FEW * host.processes or host.cpus < max(_LEAST_CPUS, 2 * host.processes):
        return None
    return (
        f"{_more(job)}, or use a smaller instance: it kept"
        f" {used:.1f} of {host.cpus} CPUs busy for {time_of(job.wall)}"
    )


def _more(job: ObservedJob) -> str:
    if job.takes_distribution:
        return "run more processes (`processes_per_host:` of `distribution:`)"
    return "let the script compute in more processes"


def _per_gpu(job: ObservedJob, host: HostUsage, gpus: GpuUsage) -> str | None:
    share = 100 * host.processes / gpus.count
    if gpus.count <= host.processes or gpus.busy_percent > _FEW * share:
        return None  # there is one for each, or a process computes on several by itself
    if not job.takes_distribution:
        return (
            "let the script compute on all GPUs, or use a smaller instance:"
            f" its {gpus.count} GPUs were {gpus.busy_percent:.0f}% busy"
        )
    ran = "1 process" if host.processes == 1 else f"{host.processes} processes"
    return (
        f"run a process for each GPU (`processes_per_host: {gpus.count}`): {ran} for"
        f" {gpus.count} GPUs, which were {gpus.busy_percent:.0f}% busy"
    )


def _elsewhere(job: ObservedJob, host: HostUsage) -> str | None:
    """Advise from a run on another machine: code that computes on one CPU does so anywhere."""
    used, own = host.cpu / host.wall, job.instance_type or ""
    could_more = host.cpus > host.processes and is_several_times_the_smallest(own)
    is_one = _HALF <= used <= _FEW * host.processes
    if host.gpus is not None or not is_one or not could_more:
        return None
    return (
        f"{_more(job)}, or use a smaller instance: it kept"
        f" {used:.1f} CPUs busy here, and {own} has more"
    )


RULE = Rule(50, "processes", _advise, anywhere=True)
