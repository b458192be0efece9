"""`kind: processing`: any script over any inputs, in a Processing job."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from pipelines.bundle.need import CodeNeed
from pipelines.diagnostics import Finding
from pipelines.kinds.base.contract import (
    EmitContext,
    EmittedStep,
    ImageNeed,
    Kind,
    Output,
    StepNeeds,
)
from pipelines.kinds.base.jobs import (
    ProcessingJob,
    PropertyFileOutput,
    SourceDir,
    check_source_dir,
    folder_of_script,
    job_needs,
    only_with_script,
    processing,
    processing_output,
    report_output,
    requirements_file,
    script,
)
from pipelines.kinds.base.paths import check_paths
from pipelines.spec.members import RequestMember
from pipelines.spec.steps import Input, JobStep
from pipelines.spec.values import AnyScalar, FixedText, JobFile, no_entries


class ProcessingStep(JobStep):
    """A script, or an image's own program, that reads inputs and writes outputs."""

    kind: Literal["processing"]
    script: Annotated[
        FixedText | None, RequestMember("AppSpecification.ContainerEntrypoint", if_given=True)
    ] = Field(
        None,
        description="The script, a file of the project; without it the image's own entrypoint "
        "is started.",
    )
    source_dir: SourceDir = None
    inputs: Annotated[dict[str, Input], RequestMember("ProcessingInputs", named_by="InputName")] = (
        Field(
            default_factory=dict, description="By name; the script finds each in SM_CHANNEL_<NAME>."
        )
    )
    outputs: Annotated[list[FixedText], RequestMember("ProcessingOutputConfig")] = Field(
        default_factory=no_entries, description="Names; the script writes each below SM_OUT_<NAME>."
    )
    reports: Annotated[
        dict[str, JobFile], RequestMember("ProcessingOutputConfig.Outputs", named_by="OutputName")
    ] = Field(
        default_factory=dict,
        description="JSON files by output name, such as `quality: quality.json`: "
        "`${steps.NAME.quality.rows}` reads a value out of one.",
    )
    paths: Annotated[
        dict[str, FixedText], RequestMember("S3Input.LocalPath", "S3Output.LocalPath")
    ] = Field(
        default_factory=dict,
        description="Where a script with fixed paths has an input or output, by its name, such as "
        "`train: /opt/ml/processing/train`; otherwise below /opt/ml/processing/input and "
        "/opt/ml/processing/output.",
    )
    arguments: Annotated[
        dict[str, AnyScalar], RequestMember("AppSpecification.ContainerArguments", if_given=True)
    ] = Field(default_factory=dict, description="Given to the script as --key value.")


def outputs(name: str, step: ProcessingStep) -> Mapping[str, Output]:
    """Each of `outputs` and `reports`: its URI; below a report, its JSON values."""
    plain = {o: Output(processing_output(name, o)) for o in step.outputs}
    reports = {r: report_output(name, r, path) for r, path in step.reports.items()}
    return {**plain, **reports}


def needs(_name: str, step: ProcessingStep) -> StepNeeds:
    """The image and the script's bundle."""
    if step.script is None:
        return StepNeeds({("image",): ImageNeed(step.image, step.instance_types[0], "processing")})
    code = CodeNeed(
        "processing",
        script=script(step.script, "script"),
        source_dir=folder_of_script(step.source_dir),
        include=tuple(step.include),
        requirements_file=requirements_file(step),
        outputs=(*step.outputs, *step.reports),
    )
    return job_needs(step, "processing", code)


def checks(step: ProcessingStep) -> Iterator[Finding]:
    """Without a script nothing is needed for one; each path is a folder of one name."""
    if step.script is None:
        yield from only_with_script(step, source_dir=step.source_dir)
    yield from check_source_dir(step.script, step.source_dir)
    outputs, has_code = (*step.outputs, *step.reports), step.script is not None
    yield from check_paths(step.paths, tuple(step.inputs), outputs, has_code=has_code)


def emit(step: ProcessingStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """One Processing step."""
    job = ProcessingJob(
        name=context.name,
        image=context.images[("image",)],
        inputs=step.inputs,
        outputs=(*step.outputs, *step.reports),
        property_files=tuple(PropertyFileOutput(r, r, path) for r, path in step.reports.items()),
        arguments=step.arguments,
        paths=step.paths,
    )
    return (processing(step, job, context),)


_EXAMPLE = """\
prepare:
  kind: processing
  image: sklearn-1.9-cpu
  script: steps/prepare.py
  inputs:
    flights: ${data.flights}
  outputs: [train, test]
  reports:
    figures: figures.json
"""

KIND = Kind(
    ProcessingStep,
    "Processing",
    "Run a script over inputs and collect its outputs.",
    emit,
    outputs,
    needs,
    checks,
    example=_EXAMPLE,
)
