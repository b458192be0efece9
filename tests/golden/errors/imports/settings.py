"""Reads settings."""

# ruff: noqa: F401
from __future__ import annotations

import tomllib  # E: SP408
from importlib import metadata
