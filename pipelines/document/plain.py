"""YAML or JSON that the tool or CloudFormation wrote → its data, without places or findings."""

from __future__ import annotations

from typing import Final

import yaml

from pipelines.json_types import Json

_FASTEST: Final[type] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""PyYAML's own reader takes ten times as long where libyaml is there."""


def read_plain(text: str) -> Json:
    """Return what a text holds."""
    found: Json = yaml.load(text, _FASTEST)  # noqa: S506 - both are safe
    return found
