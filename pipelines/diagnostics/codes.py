"""Each code's long form, from `codes/SPnnn.md`; a file is read when it is asked for."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from pipelines.diagnostics.sentences import quoted
from pipelines.errors import UsageError
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_NEAR = 3


@frozen
class Explanation:
    """What a code means.

    Args:
        code: `SPnnn`.
        title: one line.
        text: Markdown: what it means, why, an example that is wrong, the same mended.
    """

    code: str
    title: str
    text: str


def all_codes() -> list[str]:
    """List every code there is, in order."""
    return sorted(
        file.name.removesuffix(".md") for file in _folder().iterdir() if file.name.endswith(".md")
    )


def explain(code: str) -> Explanation:
    """Return what a code means; case does not matter, nor does a missing `SP`.

    Raises:
        UsageError: there is no such code; the nearest ones are named.
    """
    wanted = code.strip().upper()
    wanted = f"SP{wanted}" if wanted.isdecimal() else wanted
    known = all_codes()
    if wanted not in known:
        raise UsageError(f"there is no code `{code}`", f"the nearest are {_nearest(wanted, known)}")
    first, _, rest = (_folder() / f"{wanted}.md").read_text("utf-8").partition("\n")
    return Explanation(wanted, first.removeprefix("# ").strip(), rest.strip() + "\n")


def _folder() -> Traversable:
    return resources.files("pipelines.diagnostics") / "codes"


def _nearest(wanted: str, known: list[str]) -> str:
    """Name the codes whose numbers are nearest; of something else than a number the first ones."""
    digits = "".join(char for char in wanted if char in "0123456789")[:9]
    number = int(digits or "0")
    near = sorted(known, key=lambda code: (abs(int(code[2:]) - number), code))[:_NEAR]
    return quoted(sorted(near), "and")
