"""HTML and SVG by construction: whatever is not markup already is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
from importlib.resources import files
from typing import Final, TypeAlias

from pipelines.diagnostics.excerpts import visible

_VOID: Final = frozenset({"meta", "img", "br"})


class Html(str):
    """Markup; any other text is data."""

    __slots__ = ()


Content: TypeAlias = "str | Iterable[str]"


def text(value: object) -> Html:
    """Escape a text; control characters are shown."""
    return value if isinstance(value, Html) else Html(html.escape(visible(str(value), kept="\n\t")))


def element(name: str, *content: Content, **attributes: object) -> Html:
    """Write an element; an attribute of None is left out, `_` in a name is `-`.

    Args:
        name: the tag.
        content: markup, data, or several of them.
        attributes: a trailing `_` keeps Python's words apart: `class_`.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(visible(str(value), kept=""))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{''.join(_pieces(content))}</{name}>")


def join(pieces: Iterable[str]) -> Html:
    """Put pieces one after the other."""
    return Html("".join(text(piece) for piece in pieces))


def table(caption: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> Html:
    """Write a table that scrolls by itself where it is wider than the page."""
    head = element("tr", [element("th", cell, scope="col") for cell in header])
    body = [_row(list(row)) for row in rows]
    whole = element(
        "table", element("caption", caption), element("thead", head), element("tbody", body)
    )
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _row(cells: list[str]) -> Html:
    first, *rest = cells
    return element("tr", element("th", first, scope="row"), [element("td", c) for c in rest])


def _pieces(content: Iterable[Content]) -> Iterable[str]:
    for one in content:
        if isinstance(one, str):
            yield text(one)
        else:
            yield from (text(piece) for piece in one)


def style() -> str:
    """Read the style sheet of pages and drawings."""
    return files("pipelines.results.page").joinpath("style.css").read_text("utf-8")
