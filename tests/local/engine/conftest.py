"""A bench for the engine: the real service and state, executors that answer from a table."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.engine.parts import EngineParts, find_executor
from pipelines.backends.local.executors.contract import Executor, StepCall, StepOutcome
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.execution.events import Event
from pipelines.execution.status import StepStatus
from pipelines.json_types import Json, JsonObject
from tests.local.engine.undemanding import readable, undemanding

Answer: TypeAlias = Callable[[StepCall], StepOutcome]
REAL = frozenset({"Condition", "Fail", "RegisterModel", "Model"})
ROLE = "arn:aws:iam::000000000000:role/x"
FAKED = frozenset({"ForEach", "Processing", "Training", "Tuning", "Transform"})


def succeed(call: StepCall) -> StepOutcome:
    """Answer with the arguments, as a Describe response repeats them."""
    return StepOutcome(StepStatus.SUCCEEDED, {**call.arguments, "JobName": call.job_name})


def fail(_: StepCall) -> StepOutcome:
    """Fail for a reason of the user's."""
    return StepOutcome(StepStatus.FAILED, {}, reason="the script ended with 1")


@dataclass
class FakeJobs:
    """Stands for the executors of jobs: answers by step name, remembers its calls."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[StepCall] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: StepCall) -> StepOutcome:
        """Execute a step."""
        with self.lock:
            self.calls.append(call)
        return self.answers.get(call.name, succeed)(call)

    def find(self, type_name: str) -> Executor | None:
        """Find the executor of a Type: ours for jobs, the real one for the rest."""
        if type_name in FAKED:
            return self
        return find_executor(type_name) if type_name in REAL else None

    @property
    def names(self) -> list[str]:
        """The steps in the order of their calls."""
        return [call.name for call in self.calls]


@dataclass
class FakeClock:
    """Time that passes when somebody waits, or when the test says so."""

    time: float = 1_800_000_000.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Return seconds since 1970."""
        return self.time

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Let the time pass."""
        self.waits.append(seconds)
        self.time += seconds
        return stop.is_set()


@dataclass
class Run:
    """One execution as the API shows it after it ended."""

    arn: str
    status: str
    reason: str | None
    steps: dict[str, JsonObject]

    @property
    def id(self) -> str:
        """The execution's id."""
        return self.arn.rpartition("/")[2]

    def statuses(self) -> dict[str, str]:
        """The status of each step that ran."""
        return {name: step["StepStatus"] for name, step in self.steps.items()}


@dataclass
class Bench:
    """A local SageMaker with one pipeline, `p`."""

    home: Path
    service: LocalSageMaker
    jobs: FakeJobs
    clock: FakeClock
    events: list[Event] = field(default_factory=list)

    def define(
        self, *steps: JsonObject, parameters: list[JsonObject] | None = None, name: str = "p"
    ) -> None:
        """Make these steps the definition of a pipeline."""
        document = {"Version": "2020-12-01", "Parameters": parameters or [], "Steps": [*steps]}
        request = {
            "PipelineName": name,
            "PipelineDefinition": json.dumps(document),
            "RoleArn": ROLE,
        }
        known = self.service.list_pipelines()["PipelineSummaries"]
        if name in {one["PipelineName"] for one in known}:
            self.service.update_pipeline(**request)
        else:
            self.service.create_pipeline(**request)

    def start(self, name: str = "p", **request: Json) -> str:
        """Start an execution; return its ARN."""
        started = self.service.start_pipeline_execution(PipelineName=name, **request)
        return str(started["PipelineExecutionArn"])

    def run(self, *steps: JsonObject, options: RunOptions | None = None, **request: Json) -> Run:
        """Define the steps (when given), start an execution and run it to its end."""
        if steps:
            self.define(*steps)
        arn = self.start(**request)
        self.service.run(arn, options or RunOptions(self.events.append))
        return self.seen(arn)

    def resume(self, arn: str) -> Run:
        """Resume an execution and run it to its end."""
        self.service.resume(arn, RunOptions(self.events.append))
        return self.seen(arn)

    def seen(self, arn: str) -> Run:
        """Return what the API says of an execution."""
        found = self.service.describe_pipeline_execution(PipelineExecutionArn=arn)
        steps = self.service.list_pipeline_execution_steps(PipelineExecutionArn=arn)
        return Run(
            arn,
            found["PipelineExecutionStatus"],
            found.get("FailureReason"),
            {step["StepName"]: step for step in steps["PipelineExecutionSteps"]},
        )

    def put(self, uri: str, value: Json) -> None:
        """Put an object, JSON or text."""
        text = value if isinstance(value, str) else json.dumps(value)
        self.service.objects.put_bytes(uri, text.encode())

    def arguments(self, step: str) -> JsonObject:
        """Return the resolved arguments of a step's last call."""
        return next(call.arguments for call in reversed(self.jobs.calls) if call.name == step)


@pytest.fixture
def settings(tmp_path: Path) -> LocalSettings:
    """A machine whose `.pipelines` folder is empty."""
    return LocalSettings(home=tmp_path / ".pipelines", interpreter=Path(sys.executable))


@pytest.fixture
def bench(settings: LocalSettings) -> Iterator[Bench]:
    """A local SageMaker over fake jobs."""
    jobs, clock = FakeJobs(), FakeClock()
    parts = EngineParts(
        executors=jobs.find, step_types=undemanding, clock=clock, check_definition=readable
    )
    with LocalSageMaker(settings, parts) as service:
        yield Bench(settings.home, service, jobs, clock)


def step(name: str, kind: str = "Training", /, **more: Json) -> JsonObject:
    """Write a step; keys with a lower-case name are arguments."""
    arguments = {key: value for key, value in more.items() if key.islower()}
    rest = {key: value for key, value in more.items() if not key.islower()}
    return {"Name": name, "Type": kind, "Arguments": arguments, **rest}


@pytest.fixture
def make_step() -> Callable[..., JsonObject]:
    """Write a step: `make_step(name, type, argument=…, DependsOn=…)`."""
    return step


@pytest.fixture
def failing() -> Answer:
    """An answer: the step fails."""
    return fail


@pytest.fixture
def succeeding() -> Answer:
    """An answer: the step succeeds with its arguments as properties."""
    return succeed


@pytest.fixture
def branch() -> Callable[..., JsonObject]:
    """Write a condition step that holds or not: `branch(name, {"IfSteps": […]}, holds=True)`."""

    def write(name: str, branches: Mapping[str, list[JsonObject]], *, holds: bool) -> JsonObject:
        condition = {"Type": "Equals", "LeftValue": 1, "RightValue": 1 if holds else 2}
        arguments = {"Conditions": [condition], "IfSteps": [], "ElseSteps": [], **branches}
        return {"Name": name, "Type": "Condition", "Arguments": arguments}

    return write
