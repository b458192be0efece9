"""What jobs wrote, in the output of `logs`."""

from __future__ import annotations

import re

_USED = re.compile(r"(\S+ \| )?used .* CPUs, .*\n")


def written(shown: str) -> str:
    """Return what jobs wrote, without the line in which the runtime says what each used."""
    lines = shown.splitlines(keepends=True)
    return "".join(line for line in lines if not _USED.fullmatch(line))
