"""The one place where `Any` stands for JSON: definitions, requests, describe responses."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]
