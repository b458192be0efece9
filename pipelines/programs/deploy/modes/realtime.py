"""Real-time: instances that are always there (FACTS 2.5, 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.programs.deploy.modes import Mode, serverless


def _volume_key(aws: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key of the instances' volumes."""
    key = aws.get("kms_key")
    return {"KmsKeyId": key} if key else {}


MODE = Mode(
    name="realtime",
    noun="a real-time endpoint",
    shows=lambda config: not serverless.shows(config),
    becomes=(),
    takes_rollout=True,
    chains_containers=True,
    config=_volume_key,
)
