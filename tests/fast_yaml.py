"""YAML read by libyaml: ten times as fast as `yaml.safe_load`, which reads in Python."""

from __future__ import annotations

from typing import Any

import yaml


def load(text: str) -> Any:
    """Return what a text holds."""
    return yaml.load(text, yaml.CSafeLoader)
