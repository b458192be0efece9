"""How statuses and times are written and coloured on a page."""

from __future__ import annotations

from pipelines.results.run import StepResult

_GOOD, _BAD = frozenset({"Succeeded"}), frozenset({"Failed"})


def tone(status: str) -> str:
    """Return the class of a status."""
    if status in _GOOD:
        return "good"
    return "bad" if status in _BAD else "busy"


def step_tone(step: StepResult | None) -> str:
    """Return the class of a step; of None, one that did not run."""
    if step is None:
        return "idle"
    return "reused" if step.reused_from else tone(step.status)


def step_status(step: StepResult | None) -> str:
    """Write what became of a step and how long it took, in words: colour alone says nothing."""
    if step is None:
        return "not run"
    if step.reused_from:
        return f"from {step.reused_from}"
    return f"{step.status} {seconds(step.seconds)}".rstrip()


def seconds(value: float | None) -> str:
    """Write seconds as `0.4 s`, `12 s`, `3 min 04 s` or `1 h 02 min`."""
    if value is None:
        return ""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
