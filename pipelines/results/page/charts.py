"""Figures over versions and over time, drawn as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Final

from pipelines.results.metrics import written
from pipelines.results.page.markup import Html, element
from pipelines.results.page.words import seconds, step_status, step_tone
from pipelines.results.run import ExecutionResult
from pipelines.results.trials import TriedJobs

WIDTH, HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 320, 150, 66, 14, 12, 26
_BAR, _LABEL, _SPAN = 26, 150, 470
_MOST_LABELS: Final = 6
_LETTERS: Final = 22


def line_chart(name: str, labels: Sequence[str], values: Sequence[float]) -> Html:
    """Draw a line through values; the last one is this execution's."""
    low, high = min(values), max(values)
    span = high - low or abs(high) or 1.0
    low, high = (low, high) if high > low else (low - span / 2, high + span / 2)
    across, down = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def x(index: int) -> float:
        return round(_LEFT + across * (index / max(1, len(values) - 1)), 1)

    def y(value: float) -> float:
        return round(_TOP + down * (1 - (value - low) / (high - low)), 1)

    points = [(x(index), y(value)) for index, value in enumerate(values)]
    every = -(-len(labels) // _MOST_LABELS)
    shown = [i for i in range(len(labels)) if (len(labels) - 1 - i) % every == 0]
    said = ", ".join(f"{label}: {written(v)}" for label, v in zip(labels, values, strict=True))
    return element(
        "svg",
        [_level(y(value), written(value)) for value in (low, high)],
        element("polyline", points=" ".join(f"{a},{b}" for a, b in points), class_="series"),
        [_dot(point, f"{labels[i]}: {written(values[i])}", now=i == len(points) - 1)
         for i, point in enumerate(points)],
        [_label(labels[i], points[i][0], last=0 < i == len(labels) - 1) for i in shown],
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        role="img",
        aria_label=f"{name}: {said}",
    )  # fmt: skip


def trial_chart(step: TriedJobs) -> Html:
    """Draw the value of each trial as a dot, and the best one so far as a line."""
    known = [(i, one.value) for i, one in enumerate(step.jobs, 1) if one.value is not None]
    values = [value for _, value in known]
    choose = max if step.goal == "Maximize" else min
    best = list(accumulate(values, choose))
    low, high = min(values), max(values)
    span = high - low or abs(high) or 1.0
    low, high = (low, high) if high > low else (low - span / 2, high + span / 2)
    across, down = 2 * WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def at(number: int, value: float) -> tuple[float, float]:
        x = _LEFT + across * ((number - 1) / max(1, len(step.jobs) - 1))
        return round(x, 1), round(_TOP + down * (1 - (value - low) / (high - low)), 1)

    line = [at(number, value) for (number, _), value in zip(known, best, strict=True)]
    winner = values.index(best[-1])
    last = len(step.jobs)
    return element(
        "svg",
        [_level(at(1, value)[1], written(value)) for value in (low, high)],
        element("polyline", points=" ".join(f"{a},{b}" for a, b in line), class_="series"),
        [_dot(at(number, value), f"trial {number}: {written(value)}", now=index == winner)
         for index, (number, value) in enumerate(known)],
        [_label(str(n), at(n, low)[0], last=1 < n == last) for n in dict.fromkeys((1, last))],
        viewBox=f"0 0 {2 * WIDTH} {HEIGHT}",
        width=2 * WIDTH,
        height=HEIGHT,
        role="img",
        aria_label=f"{step.metric} of {last} trials; the best is {written(best[-1])},"
        f" of trial {known[winner][0]}",
    )  # fmt: skip


def timeline(run: ExecutionResult) -> Html:
    """Draw when each step ran, as a bar."""
    total = max((run.ended - run.began).total_seconds(), 0.001)
    height = _BAR * len(run.steps) + 24
    pieces: list[Html] = []
    for index, step in enumerate(run.steps):
        began = step.listed.get("StartTime")
        after = (began - run.began).total_seconds() if isinstance(began, datetime) else 0.0
        left = _LABEL + _SPAN * min(max(after / total, 0.0), 1.0)
        width = max(2.0, _SPAN * min((step.seconds or 0.0) / total, 1.0))
        top = index * _BAR
        pieces += [
            element("text", _short(step.name), x=_LABEL - 10, y=top + 18, text_anchor="end"),
            element("rect", element("title", f"{step.name}: {step_status(step)}"),
                    x=round(left, 1), y=top + 5, width=round(width, 1), height=_BAR - 9, rx=2,
                    class_=f"bar {step_tone(step)}"),
            element("text", seconds(step.seconds), x=round(left + width + 8, 1), y=top + 18,
                    class_="soft"),
        ]  # fmt: skip
    said = "; ".join(f"{step.name}: {step_status(step)}" for step in run.steps)
    base, end = height - 20, _LABEL + _SPAN
    width = end + 90
    return element(
        "svg",
        pieces,
        element("line", x1=_LABEL, x2=end, y1=base, y2=base, class_="grid"),
        element("text", "0", x=_LABEL, y=height - 4, class_="soft"),
        element("text", seconds(total), x=end, y=height - 4, text_anchor="end", class_="soft"),
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=f"When each step ran. {said}",
    )


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"


def _label(said: str, x: float, *, last: bool) -> Html:
    anchor = "end" if last else "middle"
    return element("text", said, x=x, y=HEIGHT - 8, text_anchor=anchor, class_="soft")


def _level(y: float, label: str) -> Html:
    line = element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
    said = element("text", label, x=_LEFT - 8, y=y + 4, text_anchor="end", class_="soft")
    return element("g", line, said)


def _dot(point: tuple[float, float], said: str, *, now: bool) -> Html:
    title = element("title", said)
    kind = "dot now" if now else "dot"
    return element("circle", title, cx=point[0], cy=point[1], r=4 if now else 3, class_=kind)
