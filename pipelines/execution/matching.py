"""The process that searches a job's logs for its metrics; who starts it may kill it.

A regular expression can take for ever on a line, deaf to every signal that Python handles. A timer
of the kernel ends this process then, which says nothing of the expression that it was at. Only the
standard library is imported: this file is a program of its own.

Each line of its input is a search, `{"patterns": [[name, expression], …], "logs": […]}`; for each
pattern in turn it writes a line of JSON: the last value or null, and whether a line was cut.
Instead of `logs`, which are files, `text` may hold the lines. With `every` it writes the list of
all values.
"""

from __future__ import annotations

import io
import json
import re
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TextIO

LONGEST_LINE = 16_384
"""Characters of a line that are searched."""

SECONDS = 2.0
"""Processor time that an expression may take."""

_LINES = 256
"""Lines after which the timer is set again, and characters of a line that gets all of its time."""


def main() -> None:
    """Carry out one search after the other, until the tool has closed the input."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for line in sys.stdin:
        asked = json.loads(line)
        for name, expression in asked["patterns"]:
            found, cut = values_in(re.compile(expression), opened(asked))
            signal.setitimer(signal.ITIMER_PROF, 0)
            value = found if asked.get("every") else found[-1] if found else None
            sys.stdout.write(json.dumps([name, value, cut]) + "\n")
            sys.stdout.flush()


def opened(asked: dict[str, Any]) -> Iterator[TextIO]:
    """Open what is searched, one after the other."""
    if "text" in asked:
        yield io.StringIO(asked["text"])
    for log in asked.get("logs", ()):
        yield open(log, encoding="utf-8", errors="replace")  # noqa: PTH123, SIM115 - no pathlib to import; the caller closes it


def values_in(pattern: re.Pattern[str], logs: Iterator[TextIO]) -> tuple[list[float], bool]:
    """Return the numbers that a pattern finds, and whether a line was too long."""
    values: list[float] = []
    cut, count = False, 0
    for log in logs:
        with log as file:
            while line := file.readline(LONGEST_LINE):
                if count % _LINES == 0 or len(line) > _LINES:
                    signal.setitimer(signal.ITIMER_PROF, SECONDS)
                count += 1
                for match in pattern.finditer(line):
                    number = _number(match)
                    if number is not None:
                        values.append(number)
                while len(line) == LONGEST_LINE and not line.endswith("\n"):
                    cut, line = True, file.readline(LONGEST_LINE)
    return values, cut


def _number(match: re.Match[str]) -> float | None:
    try:
        return float(match[1])
    except (IndexError, TypeError, ValueError):
        return None


if __name__ == "__main__":
    main()
