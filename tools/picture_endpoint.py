"""Draw the states of an endpoint and what leads from one to the next.

python tools/picture_endpoint.py     writes `docs/guides/endpoint-states.svg`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

PICTURE = Path(__file__).parent.parent / "docs" / "guides" / "endpoint-states.svg"

_WIDTH, _HEIGHT = 900, 420
_BOX = (150, 40)
_STYLE = """
text { font: 13px ui-sans-serif, system-ui, "Segoe UI", "Noto Sans", Helvetica, sans-serif;
       fill: #1f2328; text-anchor: middle; }
.why { font-size: 12px; fill: #59636e; }
rect { fill: #f6f8fa; stroke: #8c959f; }
.serves { fill: #dafbe1; stroke: #1a7f37; }
.by-hand { fill: #ffebe9; stroke: #cf222e; }
path { fill: none; stroke: #59636e; }
marker path { fill: #59636e; stroke: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .why { fill: #9198a1; }
  rect { fill: #151b23; stroke: #656c76; }
  .serves { fill: #12261e; stroke: #3fb950; }
  .by-hand { fill: #25171c; stroke: #f85149; }
  path { stroke: #9198a1; } marker path { fill: #9198a1; }
}
"""


@dataclass(frozen=True)
class State:
    """A status of the service, or none; the middle of its box, and the class of it."""

    name: str
    x: int
    y: int
    sort: str = ""


@dataclass(frozen=True)
class Arrow:
    """A path of SVG with what leads along it, and where that is written, a line each."""

    path: str
    why: tuple[str, ...]
    x: int
    y: int


STATES = (
    State("no endpoint", 95, 110),
    State("Creating", 335, 110),
    State("InService", 575, 110, "serves"),
    State("Updating", 795, 110, "serves"),
    State("Failed", 335, 250),
    State("Deleting", 575, 20),
    State("RollingBack", 795, 250, "serves"),
    State("UpdateRollbackFailed", 795, 380, "by-hand"),
)
ARROWS = (
    Arrow("M170,110 H258", ("first approved", "version"), 214, 78),
    Arrow("M410,110 H498", ("the model", "has loaded"), 454, 78),
    Arrow("M335,130 V228", ("it does not load,", "or not in time"), 400, 180),
    Arrow("M260,250 H95 V132", ("deleted, and created", "with the next version"), 175, 275),
    Arrow("M650,100 H718", ("another version", "or setting"), 684, 68),
    Arrow("M720,122 H652", ("the model", "has loaded"), 684, 144),
    Arrow("M795,130 V228", ("it does not load,", "or an alarm rings"), 733, 190),
    Arrow("M720,250 H575 V132", ("the version before serves on",), 625, 268),
    Arrow("M795,270 V358", ("nor does", "the one before"), 738, 312),
    Arrow("M575,90 V42", ("endpoints delete",), 516, 72),
    Arrow("M500,20 H95 V88", (), 0, 0),
)


def drawn() -> str:
    """Return the picture."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="The states of an endpoint">'
    )
    marker = (
        '<defs><marker id="end" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0,0 L10,5 L0,10 z"/></marker></defs>'
    )
    parts = [head, f"<style>{_STYLE}</style>", marker, *map(_box, STATES), *_arrows(), "</svg>"]
    return "\n".join(parts) + "\n"


def _box(state: State) -> str:
    width, height = _BOX
    x, y = state.x - width // 2, state.y - height // 2
    return (
        f'<rect class="{state.sort}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'
        f'<text x="{state.x}" y="{state.y + 5}">{escape(state.name)}</text>'
    )


def _arrows() -> Iterator[str]:
    for arrow in ARROWS:
        yield f'<path d="{arrow.path}" marker-end="url(#end)"/>'
        for number, line in enumerate(arrow.why):
            y = arrow.y + 15 * number
            yield f'<text class="why" x="{arrow.x}" y="{y}">{escape(line)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
