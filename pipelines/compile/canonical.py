"""Canonical JSON: the same value is always the same bytes."""

from __future__ import annotations

import json

from pipelines.json_types import Json


def canonical(value: Json) -> str:
    """Write JSON with sorted keys, two spaces of indentation and a newline at the end."""
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
