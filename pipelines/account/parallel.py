"""Calls that do not wait for each other, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_WORKERS = 16


class CallPool:
    """Calls that were begun; their results are asked for later."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def begin(self, call: Callable[..., ResultT], *arguments: Any) -> Future[ResultT]:
        """Begin a call."""
        return self._pool.submit(call, *arguments)


@contextmanager
def open_pool() -> Iterator[CallPool]:
    """Open a pool of threads; when it is left early, what was not begun is not done."""
    pool = ThreadPoolExecutor(_WORKERS)
    try:
        yield CallPool(pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def for_each(call: Callable[[ItemT], ResultT], items: Iterable[ItemT]) -> list[ResultT]:
    """Call for every item, many at once; the first error ends it, and no further item is begun."""
    with open_pool() as calls:
        futures = [calls.begin(call, item) for item in items]
        wait(futures, return_when=FIRST_EXCEPTION)
        failed = next((f for f in futures if f.done() and f.exception() is not None), None)
        if failed is not None:
            failed.result()
        return [future.result() for future in futures]
