"""How a run's time grows with its input: a ratio within one process, not a time.

A slow machine, coverage or another worker stretches both measurements alike.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Final

MORE: Final = 4
QUADRATIC: Final = MORE**2
LIMIT: Final = 9.0
"""Well above linear growth (4) and well below quadratic growth (16)."""
_FURTHER: Final = 4
"""Tries after one that was too long: what is quadratic is so every time."""


def growth(run: Callable[[int], object], few: int) -> float:
    """Return how many times longer `run` takes for four times `few`; the best of some tries."""
    best = _ratio(run, few)
    for _ in range(_FURTHER):
        if best >= LIMIT:
            best = min(best, _ratio(run, few))
    return best


def _ratio(run: Callable[[int], object], few: int) -> float:
    small = _seconds(run, few)
    return _seconds(run, few * MORE) / small


def _seconds(run: Callable[[int], object], number: int) -> float:
    """Measure without the garbage collector, which visits all that other tests left behind."""
    gc.collect()
    gc.disable()
    try:
        begin = time.process_time()
        run(number)
        return time.process_time() - begin
    finally:
        gc.enable()
