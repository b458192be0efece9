"""What `logs --follow` draws below the log."""

from __future__ import annotations

import io

from rich.console import Console
from rich.text import Text

from pipelines.cli.progress.bars import Bars, shown
from pipelines.json_types import JsonObject
from tests.unit.execution.test_execution_activity import Logs


def _step(name: str, status: str = "Executing") -> JsonObject:
    arn = f"arn:aws:sagemaker:us-east-1:111122223333:training-job/job-{name}"
    return {"StepName": name, "StepStatus": status, "Metadata": {"TrainingJob": {"Arn": arn}}}


def _drawn(bars: Bars) -> str:
    console = Console(file=io.StringIO(), width=60, height=20)
    with console.capture() as captured:
        console.print(bars)
    return captured.get()


def test_running_steps_have_a_bar_as_in_the_live_table_and_ended_ones_none() -> None:
    """A step of which nothing is known has no line; what it logs stands above."""
    logs = Logs(is_local=True, streams={"job-train/algo-1-17": ["loading", "epoch 2 of 4"]})
    logs.streams["job-other/algo-1-17"] = ["hello"]
    bars = Bars(logs, {}, lambda: 100.0)
    bars.look([_step("train"), _step("other")])
    text = _drawn(bars)
    assert "train" in text
    assert "50%" in text or "2/4" in text or "2 of 4" in text
    assert "other" not in text
    assert "loading" not in text
    bars.look([_step("train", "Succeeded"), _step("other")])
    assert not _drawn(bars).strip()


def test_lines_are_printed_as_they_are_above_the_bars() -> None:
    """A long one is not cut, and nothing in it is markup."""
    stream = io.StringIO()
    with shown(Bars(Logs(), {}), stream) as show:
        show(Text("[bold]" + "x" * 200))
    assert "[bold]" + "x" * 200 in stream.getvalue()
