"""A process of its own that runs the pipeline `p`, and may kill itself after a commit.

`start N` kills itself after the N-th commit; `resume ARN` goes on; `many N` runs N executions.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.engine.parts import EngineParts, find_executor
from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.executors.contract import Executor, StepCall, StepOutcome
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.state.local_state import LocalState
from pipelines.execution.status import StepStatus
from pipelines.json_types import Json, JsonObject
from tests.local.engine.undemanding import readable, undemanding


def _training(name: str, *after: str) -> JsonObject:
    arguments = {other: {"Get": f"Steps.{other}.Made"} for other in after}
    return {"Name": name, "Type": "Training", "Arguments": arguments}


def definition() -> str:
    """Two branches that meet, a condition, a registration and a model."""
    register = {
        "Name": "register",
        "Type": "RegisterModel",
        "Arguments": {"ModelPackageGroupName": "g", "SourceUri": {"Get": "Steps.d.Made"}},
    }
    container = {"PrimaryContainer": {"Image": "x"}}
    model = {"Name": "model", "Type": "Model", "Arguments": container, "DependsOn": ["register"]}
    condition = {"Type": "Equals", "LeftValue": {"Get": "Steps.d.Made"}, "RightValue": "d"}
    arguments = {"Conditions": [condition], "IfSteps": [register, model], "ElseSteps": []}
    steps = [
        _training("a"),
        _training("b", "a"),
        _training("c", "a"),
        _training("d", "b", "c"),
        {"Name": "check", "Type": "Condition", "Arguments": arguments},
    ]
    return json.dumps({"Version": "2020-12-01", "Steps": steps})


class Killer:
    """Counts commits and kills the process after the n-th; 0 never does."""

    def __init__(self, last: int) -> None:
        self.left = last

    def __call__(self) -> None:
        """Take note of a commit."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _train(call: StepCall) -> StepOutcome:
    with (call.settings.home / "finished.log").open("a", encoding="utf-8") as file:
        file.write(f"{call.name}\n")
    return StepOutcome(StepStatus.SUCCEEDED, {"Made": call.name})


def _find(type_name: str) -> Executor | None:
    return _train if type_name == "Training" else find_executor(type_name)


def _create(service: LocalSageMaker) -> None:
    request: dict[str, Json] = {
        "PipelineName": "p",
        "PipelineDefinition": definition(),
        "RoleArn": "arn:aws:iam::000000000000:role/x",
    }
    try:
        service.create_pipeline(**request)
    except ServiceError as error:  # the other process was faster
        if "names must be unique" not in error.problem:
            raise


def _run(service: LocalSageMaker) -> None:
    arn = service.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    service.run(arn, RunOptions(max_parallel=2))


def main(home: str, command: str, value: str) -> None:
    """Do what the command line says."""
    settings = LocalSettings(home=Path(home), interpreter=Path(sys.executable))
    killer = Killer(int(value) if command == "start" else 0)
    state = LocalState(settings.home, killer)
    with LocalSageMaker(
        settings,
        EngineParts(executors=_find, step_types=undemanding, check_definition=readable),
        state,
    ) as service:
        if command == "resume":
            service.resume(value, RunOptions(max_parallel=2))
            return
        _create(service)
        for _ in range(int(value) if command == "many" else 1):
            _run(service)


if __name__ == "__main__":
    main(*sys.argv[1:])
