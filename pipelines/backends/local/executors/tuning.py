"""Tuning: creates a tuning job and waits for it; what an earlier attempt has found is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.backends.local.executors.as_job import run_as_job
from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.backends.local.jobs.kind import CONTINUES
from pipelines.backends.local.kept import JOB_FILE

if TYPE_CHECKING:
    from pathlib import Path


def execute(call: StepCall) -> StepOutcome:
    """Run the job; the properties are DescribeHyperParameterTuningJob's response."""
    attempts = [folder for folder in call.logs.parent.iterdir() if folder.name.isdigit()]
    others = [one for one in sorted(attempts, key=_number) if one.name != call.logs.name]
    earlier = [job for one in others if (job := _job(one))]
    if earlier:
        call = replace(call, arguments={**call.arguments, CONTINUES: earlier})
    return run_as_job("Tuning", call)


def _number(attempt: Path) -> int:
    return int(attempt.name)


def _job(attempt: Path) -> str:
    """Return the job of an attempt: its training jobs belong to the same execution.

    Empty where the process was killed before it had named the job.
    """
    file = attempt / JOB_FILE
    return file.read_text(encoding="utf-8") if file.is_file() else ""
