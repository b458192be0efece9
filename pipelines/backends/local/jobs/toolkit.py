"""What a training request starts: its own entrypoint, or the program the SDK's toolkit would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.spec import JobRefusedError

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.spec import Job
    from pipelines.backends.local.objects import ObjectStore
    from pipelines.json_types import JsonObject


def training_words(store: ObjectStore, job: Job, request: JsonObject) -> list[str]:
    """Give the argument list of a training container.

    Raises:
        JobRefusedError: only the image knows what to start.
    """
    del store, job
    algorithm = request["AlgorithmSpecification"]
    entrypoint = algorithm.get("ContainerEntrypoint")
    if entrypoint:
        return [*entrypoint, *(algorithm.get("ContainerArguments") or [])]
    image = algorithm.get("TrainingImage") or algorithm.get("AlgorithmName")
    raise JobRefusedError(
        f"the image {image} brings its own entrypoint, which cannot run without a container",
        "give the step an entrypoint of its own, or a stub: run --stub STEP=FILE",
    )
