"""The names of the pipelines that one spec makes: its own, and those of steps that stand alone."""

from __future__ import annotations

DEPLOY = "deploy"
"""The suffix of the pipeline that approvals start."""


def standing_alone(pipeline: str, suffix: str) -> str:
    """Name the pipeline of the steps that also stand alone."""
    return f"{pipeline}-{suffix}"


def deployer(pipeline: str) -> str:
    """Name the pipeline that deploys for another one, whether or not it is there."""
    return standing_alone(pipeline, DEPLOY)


def pipelines_of(pipeline: str) -> tuple[str, ...]:
    """Name the pipelines of a spec: its own, and the one that deploys (decision 11)."""
    return (pipeline, deployer(pipeline))
