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
from pipelines.steptypes.places import below, value_at
from pipelines.steptypes.steptype import Cluster


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
    """Make a finding that has to be fixed."""
    return Check(subject, "missing", text, remedy)


def unknown(subject: str, error: CallRefusedError) -> Check:
    """Make a finding that may not be asked for."""
    return Check(subject, "unknown", error.problem, error.remedy)


@frozen
class Needs:
    """What a definition asks of an account.

    Args:
        instances: (`training job` and the like, instance type) → how many at least.
        images: image URIs.
    """

    instances: Mapping[tuple[str, str], int]
    images: tuple[str, ...]


def needs_of(definition: str) -> Needs:
    """Read what a definition asks for; what an execution decides is left out."""
    instances: dict[tuple[str, str], int] = {}
    images: dict[str, None] = {}
    for placed in (steps_of(json.loads(definition)) or {}).values():
        step = placed.step
        step_type = steptypes.find(step["Type"])
        images.update(dict.fromkeys(_images(step.get("Arguments"))))
        if step_type is None:
            continue
        for cluster in step_type.clusters:
            for key, count in _instances(cluster, step.get("Arguments") or {}):
                instances[key] = max(instances.get(key, 0), count)
    return Needs(instances, tuple(images))


def _instances(cluster: Cluster, arguments: JsonObject) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield how many instances of a type run at once; what is a reference counts as one."""
    jobs = value_at(arguments, cluster.parallel) if cluster.parallel is not None else 1
    for _, job in below(arguments, cluster.job):
        for _, asked in below(job, cluster.at):
            instance = value_at(asked, cluster.type)
            if isinstance(instance, str):
                count = _number(value_at(asked, cluster.count)) * _number(jobs)
                yield (cluster.usage, instance), count


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 1


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
