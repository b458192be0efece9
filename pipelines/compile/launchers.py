"""The images of distributed steps, against what their launcher needs in the container."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from pipelines.compile.imports import StepCode
from pipelines.diagnostics import Finding, Severity
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from pipelines.images import Image


def check_launchers(steps: Iterable[StepCode]) -> Iterator[Finding]:
    """Yield a finding for each image that lacks what starts the ranks, or may lack it."""
    for step in steps:
        needed = _needed(step.need.distribution or {})
        if needed is None:
            continue
        what, lack = needed
        place = (*step.step, "image")
        others = lack(step.image)
        if others is None:
            continue
        if step.image.framework is None:
            message = f"it is not known whether `{step.image_name}` has {what}"
            yield Finding("SP422", message, place, help=others, severity=Severity.WARNING)
        else:
            message = f"`{step.image_name}` does not have {what}"
            yield Finding("SP422", message, place, help=others)


def _needed(distribution: JsonObject) -> tuple[str, Callable[[Image], str | None]] | None:
    """Return what a launcher needs, and what says which images have it."""
    launcher = distribution.get("launcher")
    if launcher in (None, "torchrun", "mpi"):
        return None
    from pipelines.images import launchers  # noqa: PLC0415 - seldom needed

    if launcher == "smddp":
        return "SageMaker's data parallel library", launchers.data_parallel
    if launcher == "smp":
        return "version 2 of SageMaker's model parallel library", launchers.model_parallel
    if distribution.get("strategy") == "parameter_server":
        return "the Estimators that train with parameter servers", launchers.estimators
    return None
