"""Pictures: those that steps drew, within a page; the metrics of compared executions as SVG."""

from __future__ import annotations

import base64
from typing import Final

from pipelines.results.compare import Compared
from pipelines.results.outputs import Output
from pipelines.results.page.charts import HEIGHT, WIDTH, line_chart
from pipelines.results.page.markup import Html, element, style
from pipelines.results.source import ResultSource, StoredFile

ACROSS: Final = 3
"""How many charts stand side by side."""

_TITLE: Final = 28
_MEDIA: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}


def picture(source: ResultSource, output: Output, file: StoredFile) -> Html:
    """Put a picture into the page; an SVG is an image too, so that nothing in it runs."""
    content = source.read(file.uri)
    named = f"{output.step}: {file.name}"
    if content is None:
        return element("p", f"{named} cannot be read: {file.place}")
    data = f"data:{_MEDIA[file.suffix]};base64,{base64.b64encode(content).decode()}"
    caption = element("figcaption", named)
    return element("figure", caption, element("img", src=data, alt=named))


def charted(compared: Compared) -> list[tuple[str, list[float]]]:
    """Return each metric that all executions have, with its values."""
    return [
        (row.name, [float(value) for value in row.values if isinstance(value, int | float)])
        for row in compared.rows
        if row.section == "metric" and None not in row.values
    ]


def metrics_picture(compared: Compared) -> str:
    """Draw each metric that all executions have, the executions from left to right."""
    rows = charted(compared)
    labels = [run.id for run in compared.runs]
    charts = [
        _placed(index, name, line_chart(name, labels, values))
        for index, (name, values) in enumerate(rows)
    ]
    width = (WIDTH + _TITLE) * min(ACROSS, max(1, len(rows)))
    height = (HEIGHT + _TITLE) * max(1, -(-len(rows) // ACROSS))
    return element(
        "svg",
        element("style", Html(style())),
        charts or [element("text", "no metric that all executions have", x=12, y=24)],
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
    )


def _placed(index: int, name: str, chart: Html) -> Html:
    left = (index % ACROSS) * (WIDTH + _TITLE)
    top = (index // ACROSS) * (HEIGHT + _TITLE)
    title = element("text", name, x=8, y=18)
    inner = element("g", chart, transform=f"translate(0 {_TITLE - 4})")
    return element("g", title, inner, transform=f"translate({left} {top})")
