"""Serverless: nothing runs until a request comes (FACTS 2.4, 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.programs.deploy.modes import Mode

_SERVERLESS = "ServerlessConfig"


def shows(config: Mapping[str, Any]) -> bool:
    """Return whether a variant of an endpoint config is serverless; the others then are too."""
    return any(_SERVERLESS in variant for variant in config.get("ProductionVariants", ()))


MODE = Mode(
    name="serverless",
    noun="a serverless endpoint",
    shows=shows,
    becomes=("realtime",),
    takes_rollout=False,
    chains_containers=False,
    config=lambda _aws: {},
)
