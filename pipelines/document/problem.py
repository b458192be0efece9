"""One thing wrong with a text, before it has a file's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pipelines.document.extents import Extent


class Problem(NamedTuple):
    """A code, the problem in one line, the place, and what to write instead."""

    code: str
    message: str
    extent: Extent
    help: str | None
