"""Draw what `run` shows on a terminal, `docs/guides/live.svg`.

It shows a moment of a run at 80 columns, by the events that a run like the example's has.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from pipelines.cli.progress.live import Table
from pipelines.execution.events import (
    Event,
    ExecutionStarted,
    StepEnded,
    StepProgressed,
    StepStarted,
)
from pipelines.execution.job_progress import progress_in
from pipelines.execution.status import StepStatus

PICTURE = Path(__file__).parent.parent / "docs" / "guides" / "live.svg"

_WIDTH = 80
_STEPS = (
    "check", "features", "train", "train-wide", "evaluate", "good-enough", "register", "deploy",
    "reject",
)  # fmt: skip
_ARN = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/flight-delays/execution/xd86kwpgdipo"
_BAR = "Epoch 3:  62%|██████▏   | 581/938 [00:41<00:25, 14.2it/s, loss=0.412]"
_RUN: tuple[tuple[float, Event], ...] = (
    (0, ExecutionStarted("m6ptgqh8a45f", "", "flight-delays", _STEPS)),
    (0, StepStarted("check", "Processing")),
    (0, StepEnded("check", StepStatus.SUCCEEDED, 0.1, cached_from=_ARN)),
    (0, StepStarted("features", "Processing")),
    (12, StepEnded("features", StepStatus.SUCCEEDED, 12.2)),
    (12, StepStarted("train", "Training")),
    (12, StepStarted("train-wide", "Training")),
    (70, StepProgressed("train", "validation auc=0.7218", progress_in("epoch=9 of=20"),
                        {"auc": 0.7218, "loss": 0.4331, "train-loss": 0.4102})),
    (70, StepProgressed("train-wide", "loss=0.412", progress_in(_BAR), {"auc": 0.7087})),
)  # fmt: skip
_FONTS = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)
"""What rich loads from a network."""


def drawing() -> str:
    """Draw the moment after the last event."""
    now = [0.0]
    table = Table(lambda: now[0])
    for moment, event in _RUN:
        now[0] = moment
        table.take(event)
    console = Console(file=io.StringIO(), width=_WIDTH, height=24, force_terminal=True, record=True)
    console.print(table)
    form = _FONTS.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code", "DejaVu Sans Mono")
    return console.export_svg(title="pipelines run", code_format=form, unique_id="live") + "\n"


def main() -> None:
    """Write the drawing."""
    PICTURE.write_text(drawing(), "utf-8")
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
