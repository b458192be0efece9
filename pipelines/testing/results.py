"""How a job of a test ended, and what it left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JobResult:
    """The end of a job.

    Args:
        exit_code: 0, or the exit code of the first host that failed.
        failure: the text of the failure file (SageMaker's FailureReason or ExitMessage), or None.
        logs: host → everything it wrote, output and errors.
        model: the folder /opt/ml/model, of several hosts merged as SageMaker merges them.
        output_data: the folder /opt/ml/output/data of a training job, merged likewise.
        outputs: processing output → folder, merged likewise.
    """

    exit_code: int
    failure: str | None
    logs: Mapping[str, str]
    model: Path
    output_data: Path
    outputs: Mapping[str, Path]

    @property
    def log(self) -> str:
        """The logs of all hosts, one after the other."""
        return "".join(self.logs.values())

    def metrics(self, regex: str) -> list[float]:
        """Return what a metric definition finds in the log, in the order of appearance.

        Args:
            regex: as in `metric_definitions`; its first group is the figure.
        """
        return [float(figure) for figure in re.findall(regex, self.log)]
