"""Executions as the service shows them, where moto has nothing: they take time, and have steps.

moto knows no ListPipelineExecutionSteps and no StopPipelineExecution, and every execution has
succeeded at once. Here each look (DescribePipelineExecution) moves an execution one frame on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.json_types import JsonObject
from tests.functional.aws.account import REGION, Account
from tests.functional.aws.mends import no
from tests.functional.aws.proxy import Answer, Forward
from tests.functional.aws.seen import Seen

BEGAN = 1_790_000_000.0


@dataclass(frozen=True, slots=True)
class Frame:
    """What is seen at one moment: the execution's status and its steps."""

    status: str
    steps: Sequence[JsonObject] = ()
    reason: str = ""


def step(name: str, status: str = "Executing", **members: Any) -> JsonObject:
    """Write a step as ListPipelineExecutionSteps does; it takes 90 seconds."""
    ended = {} if status in {"Starting", "Executing"} else {"EndTime": BEGAN + 90}
    return {
        "StepName": name,
        "StepStatus": status,
        "StartTime": BEGAN,
        "AttemptCount": 1,
        "Metadata": {},
        **ended,
        **members,
    }


@dataclass
class ExecutionMends:
    """The service's own behaviour around executions; one for each test."""

    script: list[Frame] = field(default_factory=lambda: [Frame("Succeeded")])
    at: dict[str, int] = field(default_factory=dict)
    started: list[JsonObject] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def __call__(self, seen: Seen, forward: Forward) -> Answer | None:
        """Answer the operations on executions."""
        if seen.service != "sagemaker":
            return None
        known = {
            "StartPipelineExecution": self._start,
            "DescribePipelineExecution": self._describe,
            "ListPipelineExecutions": self._list,
            "ListPipelineExecutionSteps": self._steps,
            "StopPipelineExecution": self._stop,
        }
        answer = known.get(seen.operation)
        return answer(seen, forward) if answer else None

    def _frame(self, arn: str) -> Frame:
        return self.script[min(self.at.get(arn, 0), len(self.script) - 1)]

    def _start(self, seen: Seen, forward: Forward) -> Answer:
        self.started.append(seen.json())
        return forward(seen)

    def _describe(self, seen: Seen, forward: Forward) -> Answer:
        arn = seen.json()["PipelineExecutionArn"]
        answer = forward(seen)
        if answer.status != 200:
            return no("ResourceNotFound", "Pipeline execution does not exist.")
        self.at[arn] = self.at.get(arn, -1) + 1
        frame = self._frame(arn)
        said = {**json.loads(answer.body), "PipelineExecutionStatus": frame.status}
        said.update(CreationTime=BEGAN, LastModifiedTime=BEGAN + 150)
        if frame.reason:
            said["FailureReason"] = frame.reason
        return Answer(200, json.dumps(said).encode())

    def _list(self, seen: Seen, forward: Forward) -> Answer:
        answer = forward(seen)
        if answer.status != 200:
            return no("ResourceNotFound", "Pipeline does not exist.")
        said = json.loads(answer.body)
        summaries = said["PipelineExecutionSummaries"]
        for summary in summaries:
            summary["PipelineExecutionStatus"] = self._frame(summary["PipelineExecutionArn"]).status
        said["PipelineExecutionSummaries"] = list(reversed(summaries))
        return Answer(200, json.dumps(said).encode())

    def _steps(self, seen: Seen, forward: Forward) -> Answer:
        del forward
        frame = self._frame(seen.json()["PipelineExecutionArn"])
        return Answer(200, json.dumps({"PipelineExecutionSteps": list(frame.steps)}).encode())

    def _stop(self, seen: Seen, forward: Forward) -> Answer:
        del forward
        assert len(seen.json()["ClientRequestToken"]) >= 32
        self.stopped.append(seen.json()["PipelineExecutionArn"])
        return Answer(200, json.dumps({"PipelineExecutionArn": self.stopped[-1]}).encode())


def mend(account: Account, script: Sequence[Frame]) -> ExecutionMends:
    """Let executions of an account go through these frames."""
    mends = ExecutionMends(list(script))
    account.proxy.mends = (mends, *account.proxy.mends)
    return mends


def through(account: Account) -> Any:
    """Make a client of SageMaker that the mends see: they keep versions."""
    import botocore.session  # noqa: PLC0415 - takes a while

    return botocore.session.Session().create_client(
        "sagemaker", region_name=REGION, endpoint_url=account.proxy.url
    )


def deploy(account: Account, definition: JsonObject, name: str = "churn") -> str:
    """Create a pipeline of this definition and return its ARN; its version is kept."""
    created = through(account).create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(definition),
        RoleArn="arn:aws:iam::123456789012:role/jobs",
        ClientRequestToken=name.ljust(32, "0"),
    )
    account.proxy.seen.clear()
    return str(created["PipelineArn"])


def write_log(
    account: Account,
    group: str,
    stream: str,
    lines: Sequence[str],
    timed: Mapping[str, int] | None = None,
) -> None:
    """Write lines into CloudWatch Logs, now, or those with times of their own (ms)."""
    logs = account.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    if not groups:
        logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(time.time() * 1000)
    times = timed or {line: now + index for index, line in enumerate(lines)}
    events = [{"timestamp": at, "message": line} for line, at in times.items()]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
