"""An evaluation report → PNG pictures for people."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes

    from steps.measures import Floats, Report, Slice

INK = "#1f2933"
MUTED = "#7b8794"
GRID = "#e4e7eb"
ACCENT = "#1d6fb8"
PALE = "#c9dff2"
BLUES = LinearSegmentedColormap.from_list("blues", ["#f3f8fc", ACCENT])
DOTS_PER_INCH = 150


def style(axes: Axes, title: str, xlabel: str, ylabel: str) -> None:
    """Label a plot and take away lines that carry nothing."""
    axes.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold", pad=12)
    axes.set_xlabel(xlabel, color=INK)
    axes.set_ylabel(ylabel, color=INK)
    axes.tick_params(colors=MUTED, length=0)
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(GRID)


@contextmanager
def picture(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Lend a figure of the given inches and write it to `path` afterwards."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    yield figure
    figure.savefig(path, dpi=DOTS_PER_INCH)


def draw_roc(report: Report, target: Floats, probability: Floats, path: Path) -> None:
    """Draw the ROC curve, with the threshold's point on it."""
    counts = report["confusion"]
    punctual = counts["true_negative"] + counts["false_positive"]
    late = counts["true_positive"] + counts["false_negative"]
    false_rate, true_rate, _ = roc_curve(target, probability)
    with picture(path, 6, 5.6) as figure:
        axes = figure.add_subplot()
        style(
            axes,
            f"ROC on {report['rows']:,} test flights",
            "Punctual flights called late",
            "Late flights found",
        )
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle=(0, (4, 4)), label="chance, AUC 0.500")
        axes.fill_between(false_rate, true_rate, color=PALE, alpha=0.5)
        axes.plot(false_rate, true_rate, color=ACCENT, linewidth=2, label=_auc_label(report))
        axes.plot(
            counts["false_positive"] / punctual,
            counts["true_positive"] / late,
            "o",
            color=INK,
            label=f"threshold {report['threshold']:g}",
        )
        axes.set(xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
        _percent(axes, "xy")
        axes.legend(loc="lower right", frameon=False, labelcolor=INK)


def _auc_label(report: Report) -> str:
    return f"model, AUC {report['auc']:.3f}"


def draw_calibration(report: Report, path: Path) -> None:
    """Draw predicted against observed shares, with the rows of each bin below."""
    bins = report["calibration"]
    with picture(path, 6, 6.4) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        style(upper, f"Calibration, ECE {report['ece']:.3f}", "", "Observed share of late flights")
        upper.plot([0, 1], [0, 1], color=MUTED, linestyle=(0, (4, 4)), label="perfect")
        predicted = [b["predicted"] for b in bins]
        observed = [b["observed"] for b in bins]
        errors = [1.96 * np.sqrt(o * (1 - o) / b["n"]) for o, b in zip(observed, bins, strict=True)]
        upper.errorbar(
            predicted,
            observed,
            yerr=errors,
            fmt="o-",
            color=ACCENT,
            capsize=3,
            label="model, 95 % interval",
        )
        upper.set(xlim=(0, 1), ylim=(0, 1))
        upper.legend(loc="upper left", frameon=False, labelcolor=INK)
        style(lower, "", "Predicted probability of being late", "Flights")
        lower.bar(
            [b["start"] for b in bins],
            [b["n"] for b in bins],
            width=[b["end"] - b["start"] for b in bins],
            align="edge",
            color=PALE,
            edgecolor="white",
        )
        lower.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        _percent(upper, "xy")
        figure.align_ylabels()


def draw_confusion(report: Report, path: Path) -> None:
    """Draw counts of outcomes against predictions, coloured by the share of the row."""
    counts = report["confusion"]
    table = np.array(
        [
            [counts["true_negative"], counts["false_positive"]],
            [counts["false_negative"], counts["true_positive"]],
        ]
    )
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    with picture(path, 5.6, 4.8) as figure:
        axes = figure.add_subplot()
        title = f"Outcome and prediction at threshold {report['threshold']:g}"
        style(axes, title, "Predicted", "Landed")
        axes.grid(visible=False)
        axes.imshow(shares, cmap=BLUES, vmin=0, vmax=1, aspect="auto")
        for (row, column), n in np.ndenumerate(table):
            part = shares[row, column]
            colour = "white" if part > 0.75 else INK
            text = f"{n:,}\n{part:.1%} of {'late' if row else 'punctual'}"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=12)
        axes.set_xticks([0, 1], ["punctual", "late"])
        axes.set_yticks([0, 1], ["punctual", "late"])


def draw_slices(report: Report, path: Path) -> None:
    """Draw the AUC of every slice; hollow dots are slices too small to judge."""
    groups = {way: _by_auc(found) for way, found in report["slices"].items()}
    sizes = [max(len(group), 1) for group in groups.values()]
    with picture(path, 7.2, 1.6 + 0.32 * sum(sizes)) as figure:
        plots = figure.subplots(len(groups), 1, sharex=True, height_ratios=sizes, squeeze=False)
        for axes, (way, group) in zip(plots[:, 0], groups.items(), strict=True):
            style(axes, f"AUC by {way}", "", "")
            axes.axvline(report["auc"], color=MUTED, linestyle=(0, (4, 4)))
            for place, (_, found) in enumerate(group):
                fill = "white" if found["small"] else ACCENT
                axes.plot(found["auc"], place, "o", color=ACCENT, markerfacecolor=fill)
            labels = [f"{name or 'unknown'}   {_size(found)}" for name, found in group]
            axes.set_yticks(range(len(group)), labels)
            axes.set_ylim(-0.7, max(len(group), 1) - 0.3)
        plots[-1, 0].set_xlabel(
            f"AUC; dashed: all flights, {report['auc']:.3f}; hollow: few flights", color=INK
        )


def _by_auc(slices: dict[str, Slice]) -> list[tuple[str, Slice]]:
    known = [(name, found) for name, found in slices.items() if found["auc"] is not None]
    return sorted(known, key=lambda item: item[1]["auc"] or 0.0)


def _size(found: Slice) -> str:
    return f"{found['n']:,} flights, {found['base_rate']:.0%} late"


def _percent(axes: Axes, which: str) -> None:
    for axis in (axes.xaxis if name == "x" else axes.yaxis for name in which):
        axis.set_major_formatter(lambda value, _: f"{value:.0%}")


def draw_all(report: Report, target: Floats, probability: Floats, folder: Path) -> None:
    """Write roc.png, calibration.png, confusion.png and slices.png."""
    draw_roc(report, target, probability, folder / "roc.png")
    draw_calibration(report, folder / "calibration.png")
    draw_confusion(report, folder / "confusion.png")
    draw_slices(report, folder / "slices.png")
