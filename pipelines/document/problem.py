"""One thing wrong with a text, before it has a file's name, and what led to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.document.extents import Extent
    from pipelines.document.nodes import ScalarNode


class Problem(NamedTuple):
    """A code, the problem in one line, the place, and what to write instead."""

    code: str
    message: str
    extent: Extent
    help: str | None


def too_deep(levels: int, extent: Extent) -> Problem:
    """Return the problem of a text that nests deeper than `levels` at a place."""
    message = f"more than {levels} levels of mappings and lists"
    return Problem("SP108", message, extent, "a pipeline needs about ten: write it flatter")


@frozen
class Before:
    """What was read before the parser gave up.

    Args:
        last: the last scalar.
        opened: the bracket of the innermost `{…}` or `[…]` that is still open.
    """

    last: ScalarNode | None
    opened: Extent | None
