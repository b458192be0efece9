"""Regular expressions and what a job wrote → the values that they find there.

Somebody's expression may take for ever, deaf to every signal that Python handles: another process
searches (`matching.py`), which a timer of the kernel ends, or the caller. One that has answered is
kept for the next search: starting an interpreter takes longer than most searches.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pipelines.diagnostics.sentences import shortened
from pipelines.execution import matching
from pipelines.frozen import frozen
from pipelines.json_types import Json

CUT: Final = f"of each line only the first {matching.LONGEST_LINE} characters were searched"
_POLL: Final = 0.1
_PIECE: Final = 65_536
_IDLE: Final = 4
"""How many processes at most wait for a search."""


@frozen
class Found:
    """What one expression has found.

    Args:
        name: whose it is.
        values: the numbers, in their order: all of them, or only the last one.
        cut: whether a line was too long to be searched to its end.
    """

    name: str
    values: Sequence[float]
    cut: bool


@frozen
class Searched:
    """What is searched, and for what.

    Args:
        patterns: names, and the expressions as Python writes them, searched for in this order.
        logs: files, searched one after the other.
        text: what is searched where there are no files.
        every: whether all values are wanted, or the last one of each.
    """

    patterns: Sequence[tuple[str, str]]
    logs: Sequence[Path] = ()
    text: str = ""
    every: bool = False

    def request(self) -> bytes:
        """Write it as `matching.py` reads it."""
        place: Mapping[str, Json] = (
            {"logs": [*map(str, self.logs)]} if self.logs else {"text": self.text}
        )
        asked = {"patterns": [*map(list, self.patterns)], "every": self.every, **place}
        return f"{json.dumps(asked)}\n".encode()


class Search:
    """One search, while its process answers.

    Args:
        process: the process.
        asked: what it is asked for.
    """

    def __init__(self, process: subprocess.Popen[bytes], asked: Searched) -> None:
        self._process, self._asked = process, asked
        self.is_over = False

    def found(self, is_stopped: Callable[[], bool] = lambda: False) -> Iterator[Found]:
        """Yield what each expression finds, until one takes too long or the caller has enough.

        Args:
            is_stopped: asked ten times a second whether to give up.
        """
        if not self._asked.patterns:
            return
        self._ask()
        for count, line in enumerate(self._answers(is_stopped), start=1):
            name, value, cut = json.loads(line)
            values = value if isinstance(value, list) else [] if value is None else [value]
            self.is_over = count == len(self._asked.patterns)
            yield Found(name, values, cut)
            if self.is_over:
                return

    def _ask(self) -> None:
        source = self._process.stdin
        if source is not None:
            with suppress(BrokenPipeError):
                source.write(self._asked.request())
                source.flush()

    def _answers(self, is_stopped: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the lines that the process writes, until it ends or the caller has enough."""
        answers = self._process.stdout
        if answers is None:
            return
        begun = b""
        with selectors.DefaultSelector() as selector:
            selector.register(answers, selectors.EVENT_READ)
            while True:
                while not selector.select(_POLL):
                    if is_stopped():
                        return
                piece = os.read(answers.fileno(), _PIECE)
                if not piece:
                    self._process.wait()
                    return
                *lines, begun = (begun + piece).split(b"\n")
                yield from lines

    def problem(self, expression: str) -> str:
        """Return why the first expression without a result has none."""
        code = self._process.poll()
        if code == -signal.SIGPROF:
            shown = shortened(expression)
            return f"`{shown}` takes more than {matching.SECONDS:g} s on a line of the log"
        if code is None:
            return "reading the logs takes too long"
        return f"the logs could not be read (exit code {code})"


def prepare() -> None:
    """Have a process ready for a search that will come."""
    pool = _pool(os.getpid())
    pool.give(pool.take())


@contextmanager
def searching(asked: Searched) -> Iterator[Search]:
    """Search in another process, which is ended with the block if it still searches."""
    pool = _pool(os.getpid())
    process = pool.take()
    search = Search(process, asked)
    try:
        yield search
    finally:
        if search.is_over:
            pool.give(process)
        else:
            _end(process)


class _Pool:
    """The processes of this one that wait for a search."""

    def __init__(self) -> None:
        self._idle: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        atexit.register(self._close)

    def take(self) -> subprocess.Popen[bytes]:
        """Return a process that waits; started where there is none."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.poll() is None:
                    return process
                _end(process)
        return subprocess.Popen(
            [sys.executable, "-I", "-S", matching.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,  # Ctrl-C is for the tool: it ends this process itself
        )

    def give(self, process: subprocess.Popen[bytes]) -> None:
        """Keep a process that has answered."""
        with self._lock:
            if len(self._idle) < _IDLE:
                self._idle.append(process)
                return
        _end(process)

    def _close(self) -> None:
        with self._lock:
            for process in self._idle:
                _end(process)
            self._idle.clear()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


@functools.cache
def _pool(_process: int) -> _Pool:
    """Return the processes of this one; a forked child has its own."""
    return _Pool()
