"""Real-time: instances that are always there (FACTS 2.5, 5.2)."""

from __future__ import annotations

from pipelines.programs.deploy.modes import Mode, asynchronous, serverless, volume_key

MODE = Mode(
    name="realtime",
    noun="a real-time endpoint",
    shows=lambda config: not (serverless.shows(config) or asynchronous.shows(config)),
    becomes=(),
    takes_rollout=True,
    chains_containers=True,
    config=volume_key,
)
