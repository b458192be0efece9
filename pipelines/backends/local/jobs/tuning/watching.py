"""The log of a running training job → the values that its objective has had so far."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from pipelines.execution.searching import Searched, searching
from pipelines.grammar.patterns import compiled

if TYPE_CHECKING:
    from pathlib import Path


def values_so_far(expression: str, logs: Path) -> list[float]:
    """Return the values that an expression finds in the log of the first host, oldest first.

    Args:
        expression: as the request has it.
        logs: the folder of the job's logs.
    """
    log = logs / "algo-1.log"
    try:
        pattern = compiled(expression).pattern
    except re.error:
        return []  # the training job says so itself
    if not log.is_file():
        return []
    with searching(Searched([("objective", pattern)], [log], every=True)) as search:
        found = [value for one in search.found() for value in one.values]
    return [value for value in found if math.isfinite(value)]
