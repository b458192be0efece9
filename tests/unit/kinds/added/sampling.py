"""`kind: sampling`: takes a share of tables; a kind that only the tests have.

Its keys have other names than the members that they become, at every depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from pipelines.bundle.need import CodeNeed
from pipelines.kinds.base.contract import (
    EmitContext,
    EmittedStep,
    ImageNeed,
    Kind,
    Output,
    StepNeeds,
)
from pipelines.kinds.base.jobs import ProcessingJob, processing, processing_output, script
from pipelines.spec.base import SpecModel
from pipelines.spec.members import RequestMember, members_of
from pipelines.spec.steps import Input, JobStep, StepSpec
from pipelines.spec.values import FixedText, Integer, Text


class Machine(SpecModel):
    """What it runs on."""

    size: Annotated[Text, RequestMember("InstanceType")] = Field(
        "ml.m5.large", description="Its type."
    )
    disk: Annotated[Integer, RequestMember("VolumeSizeInGB")] = Field(
        10, description="Storage in GB."
    )
    how_many: Annotated[Integer, RequestMember("InstanceCount")] = Field(1, description="How many.")


class SamplingStep(StepSpec):
    """Takes a share of every table."""

    kind: Literal["sampling"]
    program: FixedText = Field(description="The script that samples.")
    tables: Annotated[dict[str, Input], RequestMember("ProcessingInputs", named_by="InputName")] = (
        Field(description="The tables by name.")
    )
    machine: Annotated[Machine, RequestMember("ProcessingResources.ClusterConfig")] = Field(
        default_factory=Machine, description="What it runs on."
    )
    patience: Annotated[Integer, RequestMember("StoppingCondition.MaxRuntimeInSeconds")] = Field(
        60, description="Seconds after which it is stopped."
    )


def outputs(name: str, _step: SamplingStep) -> Mapping[str, Output]:
    """`sample`, the rows that were taken."""
    return {"sample": Output(processing_output(name, "sample"))}


def needs(_name: str, step: SamplingStep) -> StepNeeds:
    """An image that nobody has to name, and the script's bundle."""
    code = CodeNeed("processing", script=script(step.program, "program"), outputs=("sample",))
    return StepNeeds({("machine",): ImageNeed("sklearn-1.9-cpu", None, "processing")}, code)


def emit(step: SamplingStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """One Processing step."""
    job_step = JobStep.model_validate({"kind": "processing"})
    job = ProcessingJob(
        context.name, context.images["machine",], inputs=step.tables, outputs=("sample",)
    )
    emitted = processing(job_step, job, context)
    arguments = {
        **emitted.arguments,
        "ProcessingResources": {"ClusterConfig": members_of(step.machine, context.resolve)},
        "StoppingCondition": {"MaxRuntimeInSeconds": context.resolve(step.patience)},
    }
    return (replace(emitted, arguments=arguments),)


KIND = Kind(SamplingStep, "Processing", "Take a share of tables.", emit, outputs, needs)
