"""`kind: evaluation`: a script that judges a model, in a Processing job."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from pipelines.bundle.need import CodeNeed
from pipelines.diagnostics import Finding
from pipelines.kinds.base.contract import EmitContext, EmittedStep, Kind, Output, StepNeeds
from pipelines.kinds.base.jobs import (
    ProcessingJob,
    PropertyFileOutput,
    SourceDir,
    check_source_dir,
    folder_of_script,
    job_needs,
    processing,
    processing_output,
    report_output,
    requirements_file,
    script,
)
from pipelines.spec.members import RequestMember
from pipelines.spec.steps import Input, JobStep
from pipelines.spec.values import AnyScalar, FixedText, JobFile

MODEL = "model"
OUTPUTS = ("report", "pictures")


class EvaluationStep(JobStep):
    """A script that finds the unpacked model in SM_MODEL_DIR and writes a report."""

    kind: Literal["evaluation"]
    script: FixedText = Field(description="The script, a file of the project.")
    source_dir: SourceDir = None
    model: Annotated[
        Input, RequestMember("ProcessingInputs", named_by="InputName", entry="model")
    ] = Field(description="The model archive, such as ${steps.train.model}.")
    inputs: Annotated[dict[str, Input], RequestMember("ProcessingInputs", named_by="InputName")] = (
        Field(
            default_factory=dict, description="By name; the script finds each in SM_CHANNEL_<NAME>."
        )
    )
    report: Annotated[JobFile, RequestMember("PropertyFiles.FilePath")] = Field(
        "evaluation.json",
        description="The JSON file that the script writes below SM_OUT_REPORT; "
        "`${steps.NAME.report.auc}` reads a value out of it.",
    )
    arguments: Annotated[
        dict[str, AnyScalar], RequestMember("AppSpecification.ContainerArguments", if_given=True)
    ] = Field(default_factory=dict, description="Given to the script as --key value.")


def outputs(name: str, step: EvaluationStep) -> Mapping[str, Output]:
    """`report`, the JSON file with its values below it; `pictures`, a folder."""
    return {
        "report": report_output(name, "report", step.report),
        "pictures": Output(processing_output(name, "pictures")),
    }


def needs(_name: str, step: EvaluationStep) -> StepNeeds:
    """The image and the script's bundle, which unpacks the model."""
    code = CodeNeed(
        "processing",
        script=script(step.script, "script"),
        source_dir=folder_of_script(step.source_dir),
        include=tuple(step.include),
        requirements_file=requirements_file(step),
        model_input=MODEL,
        outputs=OUTPUTS,
    )
    return job_needs(step, "processing", code)


def checks(step: EvaluationStep) -> Iterator[Finding]:
    """The script lies in the folder that it runs in."""
    yield from check_source_dir(step.script, step.source_dir)


def emit(step: EvaluationStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """One Processing step with the report as a property file."""
    job = ProcessingJob(
        name=context.name,
        image=context.images[("image",)],
        inputs={MODEL: step.model, **step.inputs},
        outputs=OUTPUTS,
        property_files=(PropertyFileOutput("report", "report", step.report),),
        arguments=step.arguments,
    )
    return (processing(step, job, context),)


_EXAMPLE = """\
evaluate:
  kind: evaluation
  image: sklearn-1.9-cpu
  script: steps/evaluate.py
  model: ${steps.train.model}
  inputs:
    test: ${data.flights}
"""

KIND = Kind(
    EvaluationStep,
    "Processing",
    "Judge a model with a script: a JSON report and pictures.",
    emit,
    outputs,
    needs,
    checks=checks,
    example=_EXAMPLE,
)
