"""How a job of a test ended, and what it left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.grammar.patterns import compiled


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
        reports: report of a step → its JSON file, which the job may not have written.
        metric_definitions: those of the step, name → regular expression.
    """

    exit_code: int
    failure: str | None
    logs: Mapping[str, str]
    model: Path
    output_data: Path
    outputs: Mapping[str, Path]
    reports: Mapping[str, Path] = field(default_factory=dict)
    metric_definitions: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> str:
        """The logs of all hosts, one after the other."""
        return "".join(self.logs.values())

    def metrics(self, definition: str) -> list[float]:
        """Return the values of a metric in the log, in the order of appearance.

        Args:
            definition: the name of one of the step's metric definitions, or a regular expression
                as in one; its first group is the value.
        """
        regex = compiled(self.metric_definitions.get(definition, definition))
        return [float(found.group(min(regex.groups, 1))) for found in regex.finditer(self.log)]
