"""How durations, results and reasons are written, wherever they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.diagnostics.excerpts import visible
from pipelines.execution.events import StepEnded
from pipelines.execution.failure import headline, is_said
from pipelines.execution.identifiers import identifier

if TYPE_CHECKING:
    from pipelines.execution.job_progress import Progress  # its expressions take a while to compile
    from pipelines.execution.usage import HostUsage, RankUsage

_MINUTE = 60
_HOUR = 3600
_GB = 1024


def duration(seconds: float) -> str:
    """Write seconds as `0.4s`, `12s`, `3m 04s` or `1h 02m`."""
    if round(seconds, 1) < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE:02}s"
    return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02}m"


def note(event: StepEnded) -> str:
    """Return in one line where a result comes from, why a step failed, or what came of it.

    Nothing where the excerpt of its log, shown below, says why.
    """
    if event.cached_from is not None:
        return f"cached from {identifier(event.cached_from)}"
    if event.reused_from is not None:
        return f"from {identifier(event.reused_from)}"
    if event.reason is not None:
        return "" if is_said(event.log_tail, event.reason) else headline(event.reason)
    return event.message.splitlines()[0] if event.message else metrics_text(event.metrics)


def metrics_text(metrics: Mapping[str, float]) -> str:
    """Write metrics in one line: `auc 0.7123  loss 0.43`."""
    if not metrics:
        return ""
    from pipelines.results.metrics import written  # noqa: PLC0415 - most steps have none

    return "  ".join(
        f"{visible(name, kept='')} {written(value)}" for name, value in metrics.items()
    )


def usage_text(used: RankUsage | HostUsage) -> str:
    """Write what was used: `rank 1 used 2m 05s, 48% of 4 CPUs, 310 MB of 15.5 GB memory`."""
    rank = getattr(used, "rank", None) if used.launcher is not None else None
    named = "" if rank is None else f"rank {rank} "
    if used.cpu is None:
        return f"{named}was killed: what it used is not known"
    parts = [f"{named}used {duration(used.wall)}", f"{used.busy:.0%} of {used.cpus} CPUs"]
    if used.memory_of:
        parts.append(f"{_memory(used.memory)} of {_memory(used.memory_of)} memory")
    if used.read is not None:
        parts.append(f"{_memory(used.read)} read")
    if used.step is not None:
        parts.append(f"{used.step:.3g} s a step")
    if used.gpus is not None:
        gpus = used.gpus
        parts.append(f"{gpus.busy_percent:.0f}% of {gpus.count} GPUs")
        parts.append(f"{_memory(gpus.memory)} of {_memory(gpus.memory_of)} of each")
    return ", ".join(parts)


def _memory(mebibytes: float) -> str:
    return f"{mebibytes:.0f} MB" if mebibytes < _GB else f"{mebibytes / _GB:.1f} GB"


def progress_text(progress: Progress) -> str:
    """Write what is counted, how far that is, and how fast it goes: `epoch 3/10  2.1it/s`."""
    named = " ".join(filter(None, (progress.counted, progress.count)))
    return "  ".join(filter(None, (named, progress.rate)))
