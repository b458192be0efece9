"""What the kind writes and the program reads, and the names of the files of its report."""

from __future__ import annotations

EXECUTION = "SELECT_EXECUTION"
"""The variable of the job with the ARN of the execution."""

OUTPUT = "report"
BEST, REPORT, PICTURE = "best.json", "experiments.json", "experiments.svg"
