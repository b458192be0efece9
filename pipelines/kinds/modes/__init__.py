"""The keys of a deployment that say how the endpoint serves: one module each, found by its name.

Each holds the model of its block and what the block becomes. What the deployer has to know of the
mode stands in the module of the same name of `programs/deploy/modes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from importlib import import_module
from typing import Any

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.programs.deploy.modes import names
from pipelines.spec.base import SpecModel
from pipelines.spec.members import RequestMember

__all__ = ["ModeBlock", "Settings", "find", "names"]


@frozen
class Settings:
    """What the block of a mode becomes.

    Args:
        variant: members of the production variant, besides its name and model.
        environment: variables of the model server, below those of the spec.
        deployment: the DeploymentConfig of updates; None for the service's default.
        config: members of the endpoint config, besides its variants.
        scaling: what is registered with Application Auto Scaling (`programs.deploy.scaling`).
        shadow: which versions get copies of requests.
    """

    variant: JsonObject
    environment: Mapping[str, str] = field(default_factory=dict)
    deployment: JsonObject | None = None
    config: JsonObject = field(default_factory=dict)
    scaling: JsonObject | None = None
    shadow: str | None = None


@frozen
class ModeBlock:
    """A mode on the side of the spec.

    Args:
        model: the model of its block.
        member: the members of the requests for config and endpoint that its block becomes.
        summary: what the key does, one sentence.
        settings: the block → what it becomes.
        keys: what it becomes, as the deploy program is configured → the keys of the block that are
            given, for those who show it.
    """

    model: type[SpecModel]
    member: RequestMember
    summary: str
    settings: Callable[[Any], Settings]
    keys: Callable[[Mapping[str, Any]], JsonObject]


def find(name: str) -> ModeBlock:
    """Return a mode by its key."""
    mode: ModeBlock = import_module(f"{__name__}.{name}").MODE
    return mode
