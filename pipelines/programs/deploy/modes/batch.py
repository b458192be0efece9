"""Batch: no endpoint, but a transform job for each version and input (FACTS 2.3)."""

from __future__ import annotations

from pipelines.programs.deploy.modes import Mode

MODE = Mode(
    name="batch",
    noun="a batch",
    shows=lambda _config: False,
    becomes=(),
    takes_rollout=False,
    chains_containers=True,
    config=lambda _aws: {},
    is_batch=True,
)
