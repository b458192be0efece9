"""The process that reads a job's logs for its metrics: `metrics.py` starts it, and may kill it.

A regular expression can take for ever on a line, deaf to every signal that Python handles. A timer
of the kernel ends this process then, which says nothing of the expression that it was at. Only the
standard library is imported: this file is a program of its own.

It reads `{"patterns": [[name, expression], …], "logs": […]}` from its input and writes, for each
pattern in turn, a line of JSON: the last value or null, and whether a line was cut.
"""

from __future__ import annotations

import json
import re
import signal
import sys

LONGEST_LINE = 16_384
"""Characters of a line that are searched."""

SECONDS = 2.0
"""Processor time that an expression may take."""

_LINES = 256
"""Lines after which the timer is set again, and characters of a line that gets all of its time."""


def main() -> None:
    """Search the logs for each pattern."""
    asked = json.load(sys.stdin)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for name, expression in asked["patterns"]:
        value, cut = last_value(re.compile(expression), asked["logs"])
        sys.stdout.write(json.dumps([name, value, cut]) + "\n")
        sys.stdout.flush()


def last_value(pattern: re.Pattern[str], logs: list[str]) -> tuple[float | None, bool]:
    """Return the last number that a pattern finds, and whether a line was too long."""
    value, cut, count = None, False, 0
    for log in logs:
        with open(log, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - no pathlib to import
            while line := file.readline(LONGEST_LINE):
                if count % _LINES == 0 or len(line) > _LINES:
                    signal.setitimer(signal.ITIMER_PROF, SECONDS)
                count += 1
                for match in pattern.finditer(line):
                    number = _number(match)
                    value = value if number is None else number
                while len(line) == LONGEST_LINE and not line.endswith("\n"):
                    cut, line = True, file.readline(LONGEST_LINE)
    return value, cut


def _number(match: re.Match[str]) -> float | None:
    try:
        return float(match[1])
    except (IndexError, TypeError, ValueError):
        return None


if __name__ == "__main__":
    main()
