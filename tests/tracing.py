"""Coverage traces our code, and not what the tests run beside it in the same process.

In a thread that is traced, Python 3.11 interprets everything at less than half of its speed, also
the frames that the tracer is not interested in; a test of a command spends most of its time in
botocore and moto.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def untraced(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return the function without the tracer of the thread that calls it."""

    @wraps(function)
    def call(*positional: Parameters.args, **named: Parameters.kwargs) -> Result:
        tracer = sys.gettrace()
        if tracer is None:
            return function(*positional, **named)
        sys.settrace(None)
        try:
            return function(*positional, **named)
        finally:
            sys.settrace(tracer)
            _traced_again()

    return call


def _traced_again() -> None:
    """Let coverage's tracer see a call: it begins with one, not with the next line."""
