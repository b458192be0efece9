"""The report of an experiment → its picture: a bar for each member, the best one marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from pipelines.programs.select.members import row_text

_LINE, _LABEL, _BARS, _VALUE = 26, 300, 300, 90
_BEST, _OTHER, _TEXT = "#0b7285", "#a5b4bd", "#1b1f23"
_STRONG, _FAINT = f'fill="{_TEXT}" font-weight="bold"', 'fill="#6a737d"'


def drawn(report: Mapping[str, Any]) -> str:
    """Draw the metric of each member; those without a value have their status instead."""
    members, metric = report["members"], report["metric"]
    known = [value for one in members if (value := _value(one, metric)) is not None]
    scale = (min(0.0, *known), max(0.0, *known)) if known else (0.0, 1.0)
    height, width = _LINE * (len(members) + 2), _LABEL + _BARS + _VALUE
    title = f"{report['experiment']}: {metric}, {report['goal']}"
    parts = [_text(12, 18, title, look=_STRONG)]
    for index, member in enumerate(members):
        top = _LINE * (index + 1) + 8
        parts.append(_text(_LABEL - 10, top + 14, _label(member), anchor="end"))
        value = _value(member, metric)
        if value is None:
            parts.append(_text(_LABEL, top + 14, member["status"], look=_FAINT))
        else:
            parts += _bar(value, scale, top, best=member["step"] == report["best"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" font-family="sans-serif" font-size="12">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def _bar(value: float, scale: tuple[float, float], top: int, *, best: bool) -> list[str]:
    low, high = scale
    per_unit = _BARS / ((high - low) or 1.0)
    left = _LABEL + (min(value, 0.0) - low) * per_unit
    long = max(1.0, abs(value) * per_unit)
    bar = (
        f'<rect x="{left:.1f}" y="{top}" width="{long:.1f}" height="{_LINE - 8}" rx="2"'
        f' fill="{_BEST if best else _OTHER}"/>'
    )
    said = f"{value:.4g}{' best' if best else ''}"
    return [bar, _text(left + long + 6, top + 14, said, look=_STRONG if best else "")]


def _value(member: Mapping[str, Any], metric: str) -> float | None:
    value = member["metrics"].get(metric)
    return None if value is None else float(value)


def _label(member: Mapping[str, Any]) -> str:
    text = row_text(member["parameters"])
    return text if len(text) <= 44 else f"{text[:43]}…"


def _text(x: float, y: float, text: str, *, anchor: str = "start", look: str = "") -> str:
    colour = look or f'fill="{_TEXT}"'
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" {colour}>{escape(text)}</text>'
