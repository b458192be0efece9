"""The metrics of compared executions as PNG, for what shows no SVG: drawn by matplotlib."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from pipelines.errors import UsageError
from pipelines.results.compare import Compared
from pipelines.results.page.charts import HEIGHT, WIDTH
from pipelines.results.page.pictures import ACROSS, charted

_DOTS: Final = 100
_FINE: Final = 200
"""Dots to an inch: of the SVG's units, and of the picture."""


def metrics_png(compared: Compared) -> bytes:
    """Draw each metric that all executions have, the executions from left to right.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - only for PNG
    except ImportError as error:
        raise UsageError(
            "a PNG is drawn by matplotlib, which is not installed",
            "pip install matplotlib, or name the file with .svg at its end",
        ) from error
    rows, labels = charted(compared), [run.id for run in compared.runs]
    across = min(ACROSS, max(1, len(rows)))
    down = max(1, -(-len(rows) // ACROSS))
    size = (across * WIDTH / _DOTS, down * (HEIGHT + _DOTS) / _DOTS)
    figure = Figure(figsize=size, layout="constrained")
    for number, (name, values) in enumerate(rows, 1):
        axes = figure.add_subplot(down, across, number)
        axes.plot(range(len(values)), values, marker="o")
        axes.set_title(name, fontsize="medium", parse_math=False)
        axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right", fontsize="small")
    if not rows:
        figure.text(0.5, 0.5, "no metric that all executions have", ha="center")
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=_FINE, metadata={"Software": None})
    return drawn.getvalue()
