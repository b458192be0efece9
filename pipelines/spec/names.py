"""The names of the pipelines that one spec makes: its own, those of steps that stand alone, copies.

A copy (`--as mybranch`) is the same spec under another name: its pipelines, groups, endpoints and
prefix carry the copy's name, so that it shares nothing with the original.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelines.errors import UsageError

DEPLOY = "deploy"
"""The suffix of the pipeline that approvals start."""

COPY_OF = "sagemaker-pipelines-as-code:copy-of"
"""The tag of what belongs to a copy: the name of the original pipeline."""

_COPY_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"


def standing_alone(pipeline: str, suffix: str) -> str:
    """Name the pipeline of the steps that also stand alone."""
    return f"{pipeline}-{suffix}"


def deployer(pipeline: str) -> str:
    """Name the pipeline that deploys for another one, whether or not it is there."""
    return standing_alone(pipeline, DEPLOY)


def pipelines_of(pipeline: str, scheduled: Iterable[str] = ()) -> tuple[str, ...]:
    """Name the pipelines of a spec: its own, the one that deploys (decision 11), and others.

    Args:
        pipeline: the spec's own.
        scheduled: the steps that have schedules of their own.
    """
    alone = (standing_alone(pipeline, step) for step in scheduled)
    return tuple(dict.fromkeys((pipeline, deployer(pipeline), *alone)))


def copied(name: str, copy: str) -> str:
    """Name what takes the place of something in a copy."""
    return f"{name}-{copy}"


def require_copy_name(copy: str) -> None:
    """Refuse a copy's name that the names of pipelines, groups and endpoints cannot carry.

    Raises:
        UsageError: it has other characters, or is taken by the pipelines that deploy.
    """
    if not re.fullmatch(_COPY_NAME, copy):
        fitting = re.sub(r"[^a-zA-Z0-9]+", "-", copy).strip("-") or "mybranch"
        raise UsageError(
            f"`--as {copy}`: the name of a copy has letters, digits and hyphens between them",
            f"write --as {fitting}",
        )
    if copied("", copy).lower().endswith(deployer("")):
        raise UsageError(
            f"`--as {copy}`: names that end in `-{DEPLOY}` belong to the pipelines that deploy",
            "choose another name",
        )


def schedule_name(pipeline: str, name: str) -> str:
    """Name the schedule of a pipeline in its account."""
    return f"{pipeline}-{name}"
