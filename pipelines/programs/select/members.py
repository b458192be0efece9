"""An execution and the names of its training steps → what became of each of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOT_RUN = "NotRun"
COMPLETED = "Completed"
_HITS = ("CacheHitResult", "SelectiveExecutionResult")


@dataclass(frozen=True)
class Member:
    """One training job, or the step that started none.

    Args:
        step: the name of the step.
        parameters: its row of the matrix.
        status: of the job; `NotRun` where there is none.
        job: the job's name.
        metrics: the final value of each metric.
        model: where its model is.
        seconds: how long it trained, and how many of these are billed.
        billed: the seconds that are billed.
        reason: why it failed.
    """

    step: str
    parameters: Mapping[str, Any]
    status: str = NOT_RUN
    job: str | None = None
    metrics: Mapping[str, float] | None = None
    model: str | None = None
    seconds: int | None = None
    billed: int | None = None
    reason: str | None = None

    def document(self) -> dict[str, Any]:
        """Return it as the report has it."""
        return {
            "step": self.step,
            "parameters": dict(self.parameters),
            "status": self.status,
            "job": self.job,
            "metrics": {
                name: value if math.isfinite(value) else None
                for name, value in (self.metrics or {}).items()
            },
            "model": self.model,
            "seconds": self.seconds,
            "billed_seconds": self.billed,
            "reason": self.reason,
        }


def row_text(row: Mapping[str, Any]) -> str:
    """Write a row on one line, its values as a script gets them."""
    return ", ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in row.items()
    )


def read_members(client: Any, execution: str, rows: Sequence[Mapping[str, Any]]) -> list[Member]:
    """Read what became of the members of an execution.

    Args:
        client: boto3's client of SageMaker.
        execution: the ARN of the execution.
        rows: `step` and `parameters` of each member, as pairs of name and value.
    """
    steps = _steps(client, execution)
    names = list(dict.fromkeys(name for row in rows for name, _ in row["parameters"]))
    return [_read(client, steps.get(row["step"]), row, names) for row in rows]


def _steps(client: Any, execution: str) -> dict[str, dict[str, Any]]:
    pages = client.get_paginator("list_pipeline_execution_steps")
    found = pages.paginate(PipelineExecutionArn=execution)
    return {one["StepName"]: one for page in found for one in page["PipelineExecutionSteps"]}


def _read(
    client: Any, listed: Mapping[str, Any] | None, row: Mapping[str, Any], names: Sequence[str]
) -> Member:
    step, parameters = row["step"], dict(row["parameters"])
    if listed is None:
        return Member(step, parameters)
    arn = next(_jobs(client, listed), None)
    if arn is None:
        return Member(step, parameters, listed["StepStatus"], reason=listed.get("FailureReason"))
    name = arn.rpartition("/")[2]
    job = client.describe_training_job(TrainingJobName=name)
    return Member(
        step,
        {**parameters, **_of_job(job, [one for one in names if one not in parameters])},
        status=job["TrainingJobStatus"],
        job=name,
        metrics={m["MetricName"]: m["Value"] for m in job.get("FinalMetricDataList") or ()},
        model=(job.get("ModelArtifacts") or {}).get("S3ModelArtifacts"),
        seconds=job.get("TrainingTimeInSeconds"),
        billed=job.get("BillableTimeInSeconds"),
        reason=job.get("FailureReason"),
    )


def _of_job(job: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return what a job was given for keys of the matrix that its own row does not name."""
    resources = job.get("ResourceConfig") or {}
    keys = {
        "instance_type": resources.get("SelectedInstanceType") or resources.get("InstanceType"),
        "image": (job.get("AlgorithmSpecification") or {}).get("TrainingImage"),
    }
    texts = {**(job.get("HyperParameters") or {}), **{k: v for k, v in keys.items() if v}}
    return {name: _value(texts[name]) for name in names if name in texts}


def _value(text: str) -> Any:
    """Read a hyperparameter as the number or the boolean that it is written for."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_finite = isinstance(value, float) and math.isfinite(value)
    return value if isinstance(value, int) or is_finite else text  # a boolean is an int


def _jobs(client: Any, listed: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ARN of a step's job; of a step that was not run again, that of the earlier run."""
    job = ((listed.get("Metadata") or {}).get("TrainingJob") or {}).get("Arn")
    if job:
        yield job
        return
    for member in _HITS:
        source = (listed.get(member) or {}).get("SourcePipelineExecutionArn")
        earlier = _steps(client, source).get(listed["StepName"]) if source else None
        if earlier is not None:
            yield from _jobs(client, earlier)
