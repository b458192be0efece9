"""What is read of running jobs' logs, on both backends, and how often."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from pipelines.execution.activity import Activity
from pipelines.execution.caller import CallRefusedError
from pipelines.execution.events import Event, StepProgressed
from pipelines.execution.job_progress import Progress
from pipelines.execution.schedule import ScheduledStep, read_schedule
from pipelines.json_types import JsonObject
from pipelines.runtime.usage import TAG

GROUP = "/aws/sagemaker/TrainingJobs"


@dataclass
class Logs:
    """CloudWatch Logs with a stream for each job; counts its calls."""

    is_local: bool = False
    streams: dict[str, list[str]] = field(default_factory=dict)
    denied: bool = False
    calls: list[str] = field(default_factory=list)

    def call(self, service: str, operation: str, **request: Any) -> JsonObject:
        """Read a stream."""
        assert (service, operation) == ("logs", "get_log_events")
        self.calls.append(request["logStreamName"])
        if self.denied:
            raise CallRefusedError("not allowed", code="AccessDeniedException")
        written = self.streams[request["logStreamName"]]
        begin = int(request.get("nextToken") or 0)
        if not request["startFromHead"]:
            begin = max(0, len(written) - request["limit"])
        events = [{"message": line, "timestamp": 1} for line in written[begin:]]
        return {"events": events, "nextForwardToken": str(len(written))}

    def pages(
        self, service: str, operation: str, member: str, **request: Any
    ) -> Iterator[JsonObject]:
        """List the streams of a job."""
        assert (service, operation, member) == ("logs", "describe_log_streams", "logStreams")
        self.calls.append(operation)
        prefix = request["logStreamNamePrefix"]
        yield from ({"logStreamName": name} for name in self.streams if name.startswith(prefix))

    def download(self, bucket: str, key: str) -> bytes:
        """Have no objects."""
        raise AssertionError(f"s3://{bucket}/{key}")


@dataclass
class Execution:
    """Running trainings, looked at."""

    logs: Logs
    definitions: list[JsonObject] = field(default_factory=list)
    steps: list[str] = field(default_factory=lambda: ["train"])
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.activity = Activity(self.logs, self._nodes(), self.events.append)
        for step in self.steps:
            self.logs.streams.setdefault(f"job-{step}/algo-1-17", [])

    def _nodes(self) -> dict[str, ScheduledStep]:
        arguments = {"AlgorithmSpecification": {"MetricDefinitions": self.definitions}}
        steps = [{"Name": name, "Type": "Training", "Arguments": arguments} for name in self.steps]
        return dict(read_schedule(json.dumps({"Version": "2020-12-01", "Steps": steps})).steps)

    def look(self, *lines: str, status: str = "Executing") -> list[Event]:
        """Let the first job write lines; return what is reported of a look."""
        self.logs.streams[f"job-{self.steps[0]}/algo-1-17"] += lines
        self.events.clear()
        arn = "arn:aws:sagemaker:us-east-1:111122223333:training-job/job-"
        self.activity._rests_until = 0.0
        self.activity.look([
            {
                "StepName": name,
                "StepStatus": status,
                "Metadata": {"TrainingJob": {"Arn": arn + name}},
            }
            for name in self.steps
        ])  # fmt: skip
        return [*self.events]


AUC = {"Name": "auc", "Regex": "auc=([0-9.]+)"}
LOSS = {"Name": "loss", "Regex": "loss=([0-9.]+)"}


def test_newest_line_progress_and_metrics_are_reported_once() -> None:
    """Metrics stand in the order of their definitions; nothing new reports nothing."""
    execution = Execution(Logs(), [AUC, LOSS])
    progress = Progress("epoch", "1/4", 0.25, text="epoch=1 of=4")
    assert execution.look("epoch=1 of=4", "loss=0.5", "auc=0.7") == [
        StepProgressed("train", "auc=0.7", progress, {"auc": 0.7, "loss": 0.5})
    ]
    assert execution.look() == []
    assert execution.look("auc=0.8") == [
        StepProgressed("train", "auc=0.8", progress, {"auc": 0.8, "loss": 0.5})
    ]


def test_what_the_runtime_says_of_usage_is_not_the_newest_line() -> None:
    """It is none of the job's own, and would hide what the job wrote last."""
    execution = Execution(Logs(), [AUC])
    used = TAG + '{"host": "algo-1", "wall_s": 3, "cpu_s": 2, "cpus": 4}'
    assert execution.look("auc=0.7", used) == [
        StepProgressed("train", "auc=0.7", None, {"auc": 0.7})
    ]


def test_bars_leave_the_newest_line_as_it_is() -> None:
    """A bar stands in the row of its step, not below it."""
    [event] = Execution(Logs()).look("reading", " 48%|██  | 12/25 [00:03<00:04, 3.2it/s]")
    assert isinstance(event, StepProgressed)
    assert event.line == "reading"
    assert event.progress == Progress("", "12/25", 0.48, "3.2it/s")


def test_the_line_that_a_local_job_is_writing_counts_where_it_is_a_bar() -> None:
    """A bar of tqdm ends with its last update; half of a printed line could hold half a number."""
    execution = Execution(Logs(is_local=True))
    execution.look("begin")
    bar = "\r 48%|██  | 12/25 [00:03<00:04, 3.2it/s]"

    class Writing(Logs):
        def call(self, service: str, operation: str, **request: Any) -> JsonObject:
            answer = super().call(service, operation, **request)
            partial = [] if request["startFromHead"] else [{"message": bar}]
            return {**answer, "events": [*answer["events"], *partial][-1:]}

    execution.activity._caller = Writing(is_local=True, streams=execution.logs.streams)
    [event] = execution.look()
    assert isinstance(event, StepProgressed)
    assert event.progress is not None
    assert event.progress.count == "12/25"


def test_a_step_that_does_not_run_is_not_looked_at() -> None:
    """Nothing is asked of CloudWatch for it."""
    execution = Execution(Logs())
    assert execution.look("epoch=1 of=4", status="Starting") == []
    assert execution.look(status="Succeeded") == []
    assert execution.logs.calls == []


def test_streams_are_listed_once_and_read_on_where_they_ended() -> None:
    """A second call finds that there is no further page."""
    execution = Execution(Logs())
    execution.look("a")
    execution.logs.calls.clear()
    execution.look("b")
    assert execution.logs.calls == ["job-train/algo-1-17"] * 2


def test_few_jobs_of_an_account_are_looked_at_at_once_and_each_gets_its_turn() -> None:
    """CloudWatch allows few calls a second; on this machine all are looked at."""
    names = [f"part-{number}" for number in range(12)]
    far = Execution(Logs(), steps=names)
    rounds = []
    for _ in range(3):
        far.logs.calls.clear()
        far.look()
        rounds.append(far.logs.calls.count("describe_log_streams"))
    assert rounds[0] == 5
    assert len(far.activity._jobs) == 12
    near = Execution(Logs(is_local=True), steps=names)
    near.look()
    assert near.logs.calls.count("describe_log_streams") == 12


def test_a_log_that_may_not_be_read_is_said_once() -> None:
    """The execution is followed without it."""
    execution = Execution(Logs())
    execution.look("a")
    execution.logs.denied = True
    [event] = execution.look("b")
    assert isinstance(event, StepProgressed)
    assert event.line == "(its log cannot be read: not allowed)"
    assert execution.look() == []


@pytest.mark.parametrize("expression", ["(", "auc"])
def test_expressions_that_cannot_be_searched_for_are_left_out(expression: str) -> None:
    """One that is not valid, or finds no number, is not shown."""
    execution = Execution(Logs(), [{"Name": "bad", "Regex": expression}, LOSS])
    [event] = execution.look(f"auc {'a' * 60} loss=0.5")
    assert isinstance(event, StepProgressed)
    assert event.metrics == {"loss": 0.5}


def test_the_last_metrics_are_those_written_at_the_end() -> None:
    """They stand in the row of a step that ended, whenever its log was looked at before."""
    execution = Execution(Logs(), [AUC])
    execution.look("auc=0.7")
    execution.logs.streams["job-train/algo-1-17"].append("auc=0.9")
    arn = "arn:aws:sagemaker:us-east-1:111122223333:training-job/job-train"
    step = {
        "StepName": "train",
        "StepStatus": "Succeeded",
        "Metadata": {"TrainingJob": {"Arn": arn}},
    }
    assert execution.activity.last_metrics(step) == {"auc": 0.9}


def test_another_attempt_begins_anew() -> None:
    """The metrics of a failed attempt are not those of the next."""
    execution = Execution(Logs(), [AUC])
    execution.look("auc=0.7")
    execution.logs.streams = {"job-train/algo-1-99": ["again"]}
    execution.activity._jobs["train"].looks = 99
    execution.logs.streams.setdefault("job-train/algo-1-17", [])
    [event] = execution.look()
    assert event == StepProgressed("train", "again")


def test_a_slow_expression_is_given_up() -> None:
    """It would take the time of the run that is shown; the others are searched for from then on."""
    execution = Execution(Logs(), [{"Name": "slow", "Regex": "a*a*a*a*b([0-9])"}, AUC])
    execution.look("a" * 1000, "auc=0.7")
    assert [*execution.activity._jobs["train"].patterns] == ["auc"]
    [event] = execution.look("auc=0.8")
    assert isinstance(event, StepProgressed)
    assert event.metrics == {"auc": 0.8}
