"""Asynchronous: requests and answers are objects in S3 (FACTS 2.5, 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.programs.deploy.modes import Mode, volume_key

_ASYNCHRONOUS = "AsyncInferenceConfig"


def shows(config: Mapping[str, Any]) -> bool:
    """Return whether an endpoint config is asynchronous."""
    return _ASYNCHRONOUS in config


MODE = Mode(
    name="asynchronous",
    noun="an asynchronous endpoint",
    shows=shows,
    becomes=(),
    takes_rollout=True,
    chains_containers=True,
    config=volume_key,
    answers_in_s3=True,
)
