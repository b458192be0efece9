"""The steps of an execution and what they wait for, drawn as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipelines.definition.dependencies import Outlined, outline
from pipelines.frozen import frozen
from pipelines.results.page.markup import Html, element, style
from pipelines.results.page.words import step_status, step_tone
from pipelines.results.run import ExecutionResult, StepResult

_WIDTH, _HEIGHT, _GAP, _RISE, _EDGE = 166, 52, 14, 34, 4
_LETTERS: Final = 22


@frozen
class _Place:
    """Where a step stands: its row, and its column there."""

    row: int
    column: int

    @property
    def left(self) -> int:
        return _EDGE + self.column * (_WIDTH + _GAP)

    @property
    def top(self) -> int:
        return _EDGE + self.row * (_HEIGHT + _RISE)


@frozen
class DrawnStep:
    """A step as it is drawn.

    Args:
        name: its name.
        waits_for: the steps drawn above it.
        says: what stands below its name.
        type: its kind or its Type, for the title.
        tone: the class of its box.
        is_decision: whether it chooses a branch.
    """

    name: str
    waits_for: tuple[str, ...]
    says: str
    type: str
    tone: str = ""
    is_decision: bool = False


def draw_steps(run: ExecutionResult) -> Html:
    """Draw the steps of an execution and what became of them."""
    ran = {step.name: step for step in run.steps}
    return draw([_of_step(one, ran.get(one.step.name)) for one in outline(run.definition)])


def _of_step(outlined: Outlined, ran: StepResult | None) -> DrawnStep:
    step, known = outlined.step, outlined.step.known
    return DrawnStep(
        step.name,
        outlined.waits_for,
        step_status(ran),
        step.type,
        step_tone(ran),
        is_decision=known is not None and bool(known.branches),
    )


def draw_alone(steps: Sequence[DrawnStep]) -> Html:
    """Draw steps as a file of its own, in the colours of the reader's scheme."""
    return draw(steps, sheet=style(), xmlns="http://www.w3.org/2000/svg")


def draw(steps: Sequence[DrawnStep], sheet: str = "", xmlns: str | None = None) -> Html:
    """Draw steps from top to bottom, each in the first row below all it waits for.

    Args:
        steps: each after what it waits for.
        sheet: a style sheet to put into the drawing.
        xmlns: the name space of a drawing that is no part of a page.
    """
    placed = _placed(steps)
    columns = max((place.column for place in placed.values()), default=0) + 1
    rows = max((place.row for place in placed.values()), default=0) + 1
    width = 2 * _EDGE + columns * (_WIDTH + _GAP) - _GAP
    height = 2 * _EDGE + rows * (_HEIGHT + _RISE) - _RISE
    said = "; ".join(f"{step.name}: {step.says}" for step in steps)
    return element(
        "svg",
        [element("style", Html(sheet))] if sheet else [],
        list(_edges(steps, placed)),
        [_box(step, placed[step.name]) for step in steps],
        xmlns=xmlns,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=f"The steps in their order. {said}",
    )


def _placed(steps: Sequence[DrawnStep]) -> Mapping[str, _Place]:
    rows: dict[str, int] = {}
    filled: dict[int, int] = {}
    placed: dict[str, _Place] = {}
    for one in steps:
        row = max((rows[name] + 1 for name in one.waits_for), default=0)
        rows[one.name] = row
        placed[one.name] = _Place(row, filled.get(row, 0))
        filled[row] = filled.get(row, 0) + 1
    return placed


def _edges(steps: Sequence[DrawnStep], placed: Mapping[str, _Place]) -> Iterator[Html]:
    """Draw what each step waits for; what follows from other edges is left out."""
    before: dict[str, set[str]] = {}
    for one in steps:
        reached = set[str]().union(*(before[name] for name in one.waits_for))
        before[one.name] = reached | set(one.waits_for)
        for name in one.waits_for:
            if name not in reached:
                yield _edge(placed[name], placed[one.name])


def _edge(source: _Place, target: _Place) -> Html:
    x, y = source.left + _WIDTH // 2, source.top + _HEIGHT
    to_x, to_y = target.left + _WIDTH // 2, target.top - 6
    bend = _RISE // 2
    path = f"M{x} {y} C{x} {y + bend} {to_x} {to_y - bend} {to_x} {to_y}"
    head = f"M{to_x} {to_y + 6} l-4 -8 h8 z"
    return element("g", element("path", d=path, class_="edge"),
                   element("path", d=head, class_="head"))  # fmt: skip


def _box(step: DrawnStep, place: _Place) -> Html:
    box = element(
        "rect",
        x=place.left,
        y=place.top,
        width=_WIDTH,
        height=_HEIGHT,
        rx=24 if step.is_decision else 6,
        class_=f"box {step.tone}".rstrip(),
    )
    middle = place.left + _WIDTH // 2
    title = element("title", f"{step.name} ({step.type}): {step.says}")
    label = element("text", _short(step.name), x=middle, y=place.top + 22, text_anchor="middle")
    below = element(
        "text", _short(step.says), x=middle, y=place.top + 40, text_anchor="middle", class_="soft"
    )
    return element("g", title, box, label, below)


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
