"""Metrics of a training job: the regular expressions of its request, read over its logs.

The logs are read by a process of its own (`execution/matching.py`), which is killed when an
expression takes too long, or when the execution is stopped.
"""

from __future__ import annotations

import json
import re
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.diagnostics.sentences import shortened
from pipelines.execution import matching
from pipelines.frozen import frozen
from pipelines.grammar.patterns import compiled
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_WALL_SECONDS: Final = 120.0
_POLL: Final = 0.1
_CUT: Final = f"of each line only the first {matching.LONGEST_LINE} characters were searched"


@frozen
class FoundMetrics:
    """What was found in a job's logs.

    Args:
        values: the last value of each metric, as `FinalMetricDataList` has it.
        notes: which metrics were given up, and why.
    """

    values: list[JsonObject]
    notes: tuple[str, ...] = ()


def metric_patterns(request: JsonObject) -> dict[str, re.Pattern[str]]:
    """Read `MetricDefinitions`: each has a `Name`, and a `Regex` whose first group is the number.

    Raises:
        JobRefusedError: a regular expression is not valid.
    """
    definitions = request["AlgorithmSpecification"].get("MetricDefinitions") or []
    patterns = {}
    for one in definitions:
        try:
            patterns[one["Name"]] = compiled(one["Regex"])
        except re.error as problem:
            raise JobRefusedError(
                f"the regular expression `{one['Regex']}` of metric `{one['Name']}` is not"
                f" valid: {problem}"
            ) from None
    return patterns


def final_metrics(
    patterns: Mapping[str, re.Pattern[str]], logs: Sequence[Path], stop: threading.Event
) -> FoundMetrics:
    """Find each metric's last value.

    Args:
        patterns: the result of `metric_patterns`.
        logs: the hosts' logs; a later host's value replaces an earlier one's.
        stop: set when the execution is being stopped: nothing more is looked for then.
    """
    left = [(name, pattern.pattern) for name, pattern in patterns.items()]
    values, notes = list[JsonObject](), list[str]()
    deadline = time.monotonic() + _WALL_SECONDS
    while left:
        with _Search(left, logs) as search:
            for name, value, cut in search.results(stop, deadline):
                left.pop(0)
                if value is not None:
                    values.append({"MetricName": name, "Value": value, "Timestamp": time.time()})
                if cut:
                    notes.append(f"metric `{name}`: {_CUT}")
        if not left or stop.is_set():
            break
        name, expression = left.pop(0)
        notes.append(f"metric `{name}` was given up: {search.problem(expression)}")
    return FoundMetrics(values, tuple(notes))


class _Search:
    """One process that searches logs for patterns, one after the other."""

    def __init__(self, patterns: Sequence[tuple[str, str]], logs: Sequence[Path]) -> None:
        self._asked = json.dumps({"patterns": patterns, "logs": [str(log) for log in logs]})

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", matching.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            start_new_session=True,  # Ctrl-C is for the tool: it ends this process itself
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def results(
        self, stop: threading.Event, deadline: float
    ) -> Iterator[tuple[str, float | None, bool]]:
        """Yield name, value and whether a line was cut, for each pattern in turn."""
        source, answers = self._process.stdin, self._process.stdout
        if source is None or answers is None:
            return
        with suppress(BrokenPipeError), source:
            source.write(self._asked.encode())
        with selectors.DefaultSelector() as selector:
            selector.register(answers, selectors.EVENT_READ)
            while not stop.is_set() and time.monotonic() < deadline:
                if selector.select(_POLL):
                    line = answers.readline()
                    if not line:
                        self._process.wait()
                        return
                    yield tuple(json.loads(line))

    def problem(self, expression: str) -> str:
        """Return why the first pattern without a result has none."""
        code = self._process.returncode
        if code == -signal.SIGPROF:
            shown = shortened(expression)
            return f"`{shown}` takes more than {matching.SECONDS:g} s on a line of the log"
        if code == -signal.SIGKILL:
            return f"reading the logs takes longer than {_WALL_SECONDS:g} s"
        return f"the logs could not be read (exit code {code})"
