"""Advice on an execution, read from its logs and its jobs, on both backends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.advice.reading import advice_on
from pipelines.execution.caller import CallRefusedError
from pipelines.json_types import JsonObject
from pipelines.runtime.usage import TAG

BEGAN = datetime(2026, 11, 26, tzinfo=UTC)
JOB = "pipelines-abc-train-x-0"


def usage(**changed: object) -> str:
    """Write the line of a host whose four processors were busy for ten minutes."""
    used = {"host": "algo-1", "wall_s": 600, "cpu_s": 2400, "cpus": 4, **changed}
    return TAG + json.dumps(used)


@dataclass
class Jobs:
    """Training jobs with their logs, by host."""

    hosts: dict[str, list[str]]
    is_local: bool = False
    denied: str = ""
    calls: list[str] = field(default_factory=list)

    def call(self, service: str, operation: str, **request: Any) -> JsonObject:
        """Read a stream, or describe the job."""
        assert service in {"logs", "sagemaker"}
        self._count(operation)
        if operation == "describe_training_job":
            assert request == {"TrainingJobName": JOB}
            return {"ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}}
        assert request["startFromHead"] is False
        lines = self.hosts[request["logStreamName"].rpartition("/")[2]][-request["limit"] :]
        return {"events": [{"message": one} for one in lines], "nextForwardToken": "f/1"}

    def pages(
        self, service: str, operation: str, member: str, **request: Any
    ) -> Iterator[JsonObject]:
        """List the streams of the job."""
        del service, member
        self._count(operation)
        assert request["logStreamNamePrefix"] == JOB
        yield from ({"logStreamName": f"{JOB}/{host}"} for host in self.hosts)

    def download(self, bucket: str, key: str) -> bytes:
        """Have no objects."""
        raise AssertionError(f"s3://{bucket}/{key}")

    def _count(self, operation: str) -> None:
        self.calls.append(operation)
        if operation == self.denied:
            raise CallRefusedError("not allowed", code="AccessDeniedException")


def step(seconds: float | None = 700, **more: object) -> JsonObject:
    """Write a training step as it is listed; None where it still runs."""
    arn = f"arn:aws:sagemaker:us-east-1:111122223333:training-job/{JOB}"
    ended = {} if seconds is None else {"EndTime": BEGAN + timedelta(seconds=seconds)}
    return {
        "StepName": "train",
        "StartTime": BEGAN,
        "Metadata": {"TrainingJob": {"Arn": arn}},
        **ended,
        **more,
    }


def test_the_job_of_a_step_is_advised_on_from_its_log() -> None:
    """The line may be followed by what is said of a failure; hosts are read one by one."""
    idle = usage(host="algo-2", cpu_s=10)
    jobs = Jobs({"algo-1-17": [usage(), "pipelines: the job failed"], "algo-2-18": ["x", idle]})
    (line,) = advice_on(jobs, [step()])
    assert line.startswith("train: use a bigger instance, such as ml.m5.2xlarge, before more")
    assert jobs.calls.count("get_log_events") == 2


def test_each_rank_of_each_host_is_read() -> None:
    """As CloudWatch has them; what is said of a failure after them does not matter."""
    alike = {"processes": 64, "launcher": "mpi", "cpus": 96, "wall_s": 600, "cpu_s": 500}
    lines = {
        host: [
            usage(host=host, rank=first + one, local_rank=one, read_mb=100, **alike)
            for one in range(64)
        ]
        for host, first in (("algo-1", 0), ("algo-2", 64))
    }
    lines["algo-2"][3] = usage(host="algo-2", rank=67, local_rank=3, read_mb=9000, **alike)
    said = ["pipelines: the job failed"] * 20
    jobs = Jobs({host: ["epoch 1", *lines[host], *said] for host in lines})
    (line,) = advice_on(jobs, [step()])
    assert "rank 67 (algo-2) read 8.8 GB, half of the others at most 100 MB" in line


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [step(None)],
        [step(CacheHitResult={"SourcePipelineExecutionArn": "arn"})],
        [step(Metadata={"Condition": {"Outcome": "True"}})],
        [step(Metadata={"TuningJob": {"Arn": "arn:aws:sagemaker:::x/tune"}})],
    ],
)
def test_what_has_not_run_here_is_not_read(steps: list[JsonObject]) -> None:
    """A step that runs, one whose result is reused, one without a job, and one that starts jobs."""
    jobs = Jobs({})
    assert list(advice_on(jobs, steps)) == []
    assert jobs.calls == []


def test_short_jobs_are_not_read() -> None:
    """Less than a minute says little about anything."""
    jobs = Jobs({"algo-1-17": [usage()]})
    assert list(advice_on(jobs, [step(12.0), step(3.0, StepName="other")])) == []
    assert jobs.calls == []


@pytest.mark.parametrize(
    "jobs",
    [
        Jobs({"algo-1-17": ["epoch 1"]}),
        Jobs({"algo-1-17": [usage()]}, denied="get_log_events"),
        Jobs({"algo-1-17": [usage()]}, denied="describe_log_streams"),
        Jobs({"algo-1-17": [usage()]}, denied="describe_training_job"),
        Jobs({"algo-1-17": [usage()]}, is_local=True),
    ],
)
def test_what_is_not_known_gives_no_advice(jobs: Jobs) -> None:
    """No line in the log, a log that may not be read, a job on another machine."""
    assert list(advice_on(jobs, [step()])) == []
