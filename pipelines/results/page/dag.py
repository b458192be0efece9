"""The steps of an execution and what they wait for, drawn as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pipelines.definition.dependencies import Outlined, outline
from pipelines.frozen import frozen
from pipelines.results.page.markup import Html, element
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


def draw_steps(run: ExecutionResult) -> Html:
    """Draw the steps from top to bottom, each in the first row below all it waits for."""
    steps = outline(run.definition)
    placed = _placed(steps)
    ran = {step.name: step for step in run.steps}
    columns = max((place.column for place in placed.values()), default=0) + 1
    rows = max((place.row for place in placed.values()), default=0) + 1
    width = 2 * _EDGE + columns * (_WIDTH + _GAP) - _GAP
    height = 2 * _EDGE + rows * (_HEIGHT + _RISE) - _RISE
    said = "; ".join(f"{one.step.name}: {step_status(ran.get(one.step.name))}" for one in steps)
    return element(
        "svg",
        list(_edges(steps, placed)),
        [_box(one, placed[one.step.name], ran.get(one.step.name)) for one in steps],
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=f"The steps in their order. {said}",
    )


def _placed(steps: tuple[Outlined, ...]) -> Mapping[str, _Place]:
    rows: dict[str, int] = {}
    filled: dict[int, int] = {}
    placed: dict[str, _Place] = {}
    for one in steps:
        row = max((rows[name] + 1 for name in one.waits_for), default=0)
        rows[one.step.name] = row
        placed[one.step.name] = _Place(row, filled.get(row, 0))
        filled[row] = filled.get(row, 0) + 1
    return placed


def _edges(steps: tuple[Outlined, ...], placed: Mapping[str, _Place]) -> Iterator[Html]:
    """Draw what each step waits for; what follows from other edges is left out."""
    before: dict[str, set[str]] = {}
    for one in steps:
        reached = set[str]().union(*(before[name] for name in one.waits_for))
        before[one.step.name] = reached | set(one.waits_for)
        for name in one.waits_for:
            if name not in reached:
                yield _edge(placed[name], placed[one.step.name])


def _edge(source: _Place, target: _Place) -> Html:
    x, y = source.left + _WIDTH // 2, source.top + _HEIGHT
    to_x, to_y = target.left + _WIDTH // 2, target.top - 6
    bend = _RISE // 2
    path = f"M{x} {y} C{x} {y + bend} {to_x} {to_y - bend} {to_x} {to_y}"
    head = f"M{to_x} {to_y + 6} l-4 -8 h8 z"
    return element("g", element("path", d=path, class_="edge"),
                   element("path", d=head, class_="head"))  # fmt: skip


def _box(outlined: Outlined, place: _Place, step: StepResult | None) -> Html:
    name = outlined.step.name
    shown = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
    rounded = 24 if outlined.step.known is not None and outlined.step.known.branches else 6
    box = element(
        "rect",
        x=place.left,
        y=place.top,
        width=_WIDTH,
        height=_HEIGHT,
        rx=rounded,
        class_=f"box {step_tone(step)}",
    )
    middle = place.left + _WIDTH // 2
    title = element("title", f"{name} ({outlined.step.type}): {step_status(step)}")
    label = element("text", shown, x=middle, y=place.top + 22, text_anchor="middle")
    below = element(
        "text", step_status(step), x=middle, y=place.top + 40, text_anchor="middle", class_="soft"
    )
    return element("g", title, box, label, below)
