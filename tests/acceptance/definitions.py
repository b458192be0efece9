"""Small pipelines: their definitions, and what their executions come to."""

from __future__ import annotations

import json
import secrets
from typing import Any

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from tests.acceptance.target import Target, refused

ALWAYS = {"Type": "Equals", "LeftValue": "a", "RightValue": "a"}
"""A condition that holds."""


def definition(*steps: JsonObject, parameters: tuple[JsonObject, ...] = ()) -> str:
    """Write a definition."""
    return json.dumps(
        {"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": steps}
    )


def condition(
    name: str, *conditions: JsonObject, then: tuple[JsonObject, ...] = (), **more: object
) -> JsonObject:
    """Write a Condition step; conditions and branches cost nothing in an account."""
    arguments = {"Conditions": list(conditions), "IfSteps": list(then), "ElseSteps": []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **more}


def fail(name: str, message: object) -> JsonObject:
    """Write a Fail step."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


@frozen
class Ended:
    """An execution that has ended, as it is described and listed."""

    arn: str
    described: JsonObject
    steps: tuple[JsonObject, ...]

    @property
    def status(self) -> str:
        """Return the execution's status."""
        return str(self.described["PipelineExecutionStatus"])

    def step(self, name: str) -> JsonObject:
        """Return a step by its name."""
        return next(step for step in self.steps if step["StepName"] == name)

    def outcome(self, name: str) -> str:
        """Return the Outcome of a Condition step."""
        return str(self.step(name)["Metadata"]["Condition"]["Outcome"])


def create(target: Target, name: str, text: str, **more: object) -> str:
    """Create a pipeline and return its name."""
    name = target.named(name)
    target.sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=text,
        RoleArn=target.role,
        Tags=target.tags,
        **more,
    )
    return name


def start(target: Target, name: str, **more: object) -> str:
    """Start an execution and return its ARN."""
    started = target.sagemaker.start_pipeline_execution(PipelineName=name, **more)
    return str(started["PipelineExecutionArn"])


def ended(target: Target, arn: str) -> Ended:
    """Wait for the end of an execution."""
    described = target.settled(
        lambda: target.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn),
        "PipelineExecutionStatus",
    )
    listed = target.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    return Ended(arn, described, tuple(listed["PipelineExecutionSteps"]))


def run(target: Target, name: str, text: str) -> Ended:
    """Create a pipeline, start it and wait for its end."""
    return ended(target, start(target, create(target, name, text)))


def refusal(operation: Any, **request: object) -> tuple[str, str]:
    """Return code and message of the error that a call must raise."""
    error = refused(lambda: operation(**request))["Error"]
    return error["Code"], error["Message"]


def refused_definition(target: Target, name: str, text: str) -> tuple[str, str]:
    """Return how the service refuses to create a pipeline of this definition.

    Its name is new each time: one that was taken would be refused for that.
    """
    return refusal(
        target.sagemaker.create_pipeline,
        PipelineName=target.named(f"{name}-{secrets.token_hex(4)}"),
        PipelineDefinition=text,
        RoleArn=target.role,
        Tags=target.tags,
    )
