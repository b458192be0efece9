"""What a test, or an extension, may replace of the engine: executors, Types, time, randomness."""

from __future__ import annotations

import importlib
import importlib.util
import secrets
import string
import threading
import time
from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from pipelines import steptypes
from pipelines.backends.local.executors.contract import Executor
from pipelines.frozen import frozen
from pipelines.steptypes import StepType, module_name

if TYPE_CHECKING:
    from pipelines.backends.local.hosting.provisioner import StartFleet

Executors: TypeAlias = Callable[[str], Executor | None]
StepTypes: TypeAlias = Callable[[str], StepType | None]
Token: TypeAlias = Callable[[int], str]
"""Returns a random word of lower-case letters and digits of the given length."""

_EXECUTORS = "pipelines.backends.local.executors"
_ALPHABET = string.ascii_lowercase + string.digits


class Clock(Protocol):
    """What the engine needs of time, so that no test has to sleep."""

    def now(self) -> float:
        """Return seconds since 1970."""
        ...

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait; return True when `stop` was set meanwhile."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait on the event."""
        return stop.wait(seconds)


def find_executor(type_name: str) -> Executor | None:
    """Import the executor of a Type, found by its module's name; None if there is none."""
    name = f"{_EXECUTORS}.{module_name(type_name)}"
    if not type_name.isidentifier() or importlib.util.find_spec(name) is None:
        return None
    execute: Executor | None = getattr(importlib.import_module(name), "execute", None)
    return execute


def random_token(length: int) -> str:
    """Draw a word from the system's randomness."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


@frozen
class EngineParts:
    """The replaceable parts.

    Args:
        executors: Type → executor.
        step_types: Type → what is known about it.
        clock: time.
        token: randomness.
        start_fleet: starts the model servers of an endpoint's variant; None for real ones.
        check_definition: refuses the text of a definition; None to hold it against the Types.
    """

    executors: Executors = find_executor
    step_types: StepTypes = steptypes.find
    clock: Clock = field(default_factory=SystemClock)
    token: Token = random_token
    start_fleet: StartFleet | None = None
    check_definition: Callable[[str], None] | None = None

    def is_terminal(self, type_name: str) -> bool:
        """Return whether a step of a Type ends the execution."""
        step_type = self.step_types(type_name)
        return step_type is not None and step_type.terminal
