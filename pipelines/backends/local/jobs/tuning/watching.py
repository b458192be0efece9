"""The log of a running training job → the values that its objective has had so far.

A regular expression may take for ever, so that a process of its own reads the log
(`execution/matching.py`).
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from pipelines.execution import matching
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
    request = {"patterns": [["objective", pattern]], "logs": [str(log)], "every": True}
    done = subprocess.run(
        [sys.executable, "-I", "-S", matching.__file__],
        input=json.dumps(request).encode(),
        capture_output=True,
        check=False,
        env={},
        start_new_session=True,  # Ctrl-C is for the tool
    )
    lines = done.stdout.splitlines()
    found: list[float] = json.loads(lines[0])[1] if lines else []
    return [value for value in found if math.isfinite(value)]
