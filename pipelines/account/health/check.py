"""A finding of `doctor`, and what a pipeline needs of an account."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Literal

from pipelines import steptypes
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.plan.diff import steps_of


@frozen
class Check:
    """What was found.

    Args:
        subject: what was looked at.
        verdict: `missing` means that the pipeline will not run; `unknown`, that it could not be
            asked.
        text: what was found.
        remedy: what to do about it.
    """

    subject: str
    verdict: Literal["ok", "missing", "unknown"]
    text: str
    remedy: str | None = None


def ok(subject: str, text: str) -> Check:
    """Make a finding that is as it should be."""
    return Check(subject, "ok", text)


def missing(subject: str, text: str, remedy: str | None) -> Check:
    """Make a finding that has to be mended."""
    return Check(subject, "missing", text, remedy)


def unknown(subject: str, error: CallRefusedError) -> Check:
    """Make a finding that may not be asked for."""
    return Check(subject, "unknown", error.problem, error.remedy)


@frozen
class Needs:
    """What a definition asks of an account.

    Args:
        permissions: IAM actions of the role, by the Types of its steps.
        instances: (`training job` or `processing job`, instance type) → how many at least.
        images: image URIs.
    """

    permissions: tuple[str, ...]
    instances: Mapping[tuple[str, str], int]
    images: tuple[str, ...]


_JOBS = {
    "Training": ("training job", ("ResourceConfig",)),
    "Processing": ("processing job", ("ProcessingResources", "ClusterConfig")),
    "Transform": ("transform job", ("TransformResources",)),
    "Tuning": ("training job", ("TrainingJobDefinition", "ResourceConfig")),
}


def needs_of(definition: str) -> Needs:
    """Read what a definition asks for; what an execution decides is left out."""
    permissions: dict[str, None] = {}
    instances: dict[tuple[str, str], int] = {}
    images: dict[str, None] = {}
    for placed in (steps_of(json.loads(definition)) or {}).values():
        step = placed.step
        step_type = steptypes.find(step["Type"])
        permissions.update(dict.fromkeys(step_type.permissions if step_type else ()))
        images.update(dict.fromkeys(_images(step.get("Arguments"))))
        for key, count in _instances(step):
            instances[key] = max(instances.get(key, 0), count)
    return Needs(tuple(permissions), instances, tuple(images))


def _instances(step: JsonObject) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield how many instances of a type a step has at once; what is a reference counts as one."""
    job = _JOBS.get(step["Type"])
    arguments = step.get("Arguments") or {}
    if job is None:
        return
    asked = _at(arguments, job[1])
    limits = _at(arguments, ("HyperParameterTuningJobConfig", "ResourceLimits"))
    kind = asked.get("InstanceType")
    if isinstance(kind, str):
        count, jobs = asked.get("InstanceCount"), limits.get("MaxParallelTrainingJobs")
        yield (job[0], kind), _number(count) * _number(jobs)


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 1


def _at(value: JsonObject, path: tuple[str, ...]) -> JsonObject:
    for member in path:
        value = value.get(member) or {}
    return value


def _images(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _images(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in {"ImageUri", "TrainingImage", "Image"} and isinstance(item, str):
                yield item
            else:
                yield from _images(item)
