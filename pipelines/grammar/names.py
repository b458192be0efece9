"""Names of Types and members, `VolumeSizeInGB`, as the spec and our modules write them."""

from __future__ import annotations

import re
from typing import Final

_WORD_START: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """Return `volume_size_in_gb` for `VolumeSizeInGB`; a capital run counts as one word."""
    return _WORD_START.sub("_", name).lower()


def camel_case(name: str) -> str:
    """Return `InstanceType` for `instance_type`; no way back to a capital run."""
    return "".join(map(str.capitalize, name.split("_")))
