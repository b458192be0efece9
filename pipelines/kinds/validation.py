"""`kind: validation`: Great Expectations suites over the inputs, in a Processing job."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from pipelines.bundle.need import CodeNeed, ProjectFile
from pipelines.diagnostics import Finding
from pipelines.diagnostics.nearest import nearest
from pipelines.grammar.functions import Get
from pipelines.kinds.base.contract import EmitContext, EmittedStep, Kind, Output, StepNeeds
from pipelines.kinds.base.jobs import (
    ProcessingJob,
    PropertyFileOutput,
    job_needs,
    processing,
    processing_output,
    report_output,
    requirements_file,
    script,
)
from pipelines.spec.members import RequestMember
from pipelines.spec.steps import Input, JobStep
from pipelines.spec.values import FixedText

REPORT = "report.json"
OUTPUTS = ("report", "docs")
PROGRAM_REQUIREMENTS = ("great-expectations==1.24.1", "pandas", "pyarrow")
"""What the built-in program imports; it is in no AWS image (FACTS 11.16)."""


class ValidationStep(JobStep):
    """Suites over tables; a broken critical expectation fails the step."""

    kind: Literal["validation"]
    inputs: Annotated[dict[str, Input], RequestMember("ProcessingInputs", named_by="InputName")] = (
        Field(description="Tables by name: CSV or Parquet; several files are one table.")
    )
    suites: dict[str, FixedText] = Field(
        description="For each table its suite: a JSON file as Great Expectations saves it."
    )
    script: FixedText | None = Field(
        None, description="A script of your own instead of the built-in program."
    )


def outputs(name: str, step: ValidationStep) -> Mapping[str, Output]:
    """Each input by its name, its own URI gated by this step; `report`, JSON; `docs`, HTML."""
    gated = {
        i: Output(
            Get(f"Steps.{name}.ProcessingInputs['{i}'].S3Input.S3Uri"), gates=("inputs", i, "from")
        )
        for i in step.inputs
    }
    return {
        **gated,
        "report": report_output(name, "report", REPORT),
        "docs": Output(processing_output(name, "docs")),
    }


def needs(_name: str, step: ValidationStep) -> StepNeeds:
    """The image and a bundle of program and suites."""
    suites = tuple(
        ProjectFile(path, ("suites", table), "suite") for table, path in step.suites.items()
    )
    code = CodeNeed(
        "processing",
        script=script(step.script, "script") if step.script else None,
        program=None if step.script else "validate",
        config={"suites": dict(step.suites)},
        files=suites,
        include=tuple(step.include),
        requirements=() if step.script else PROGRAM_REQUIREMENTS,
        requirements_file=requirements_file(step),
        outputs=OUTPUTS,
    )
    return job_needs(step, "processing", code)


def checks(step: ValidationStep) -> Iterator[Finding]:
    """Every suite needs its table, every table its suite; names of outputs are taken."""
    for table in step.suites:
        if table not in step.inputs:
            close = nearest(table, tuple(step.inputs))
            advice = f"did you mean `{close}`?" if close else f"inputs: {', '.join(step.inputs)}"
            message = f"the suite `{table}` has no input of that name"
            yield Finding("SP130", message, ("suites", table), at="key", help=advice)
    for table in step.inputs:
        if table not in step.suites:
            message = f"the input `{table}` has no suite"
            help_text = f"add `{table}: steps/suites/{table}.json` under `suites:`"
            yield Finding("SP130", message, ("inputs", table), at="key", help=help_text)
        if table in OUTPUTS:
            message = f"`{table}` is the name of an output of every validation step"
            yield Finding("SP130", message, ("inputs", table), at="key", help="choose another name")


def emit(step: ValidationStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """One Processing step with the report as a property file."""
    job = ProcessingJob(
        name=context.name,
        image=context.images[("image",)],
        inputs=step.inputs,
        outputs=OUTPUTS,
        property_files=(PropertyFileOutput("report", "report", REPORT),),
    )
    return (processing(step, job, context),)


_EXAMPLE = """\
check:
  kind: validation
  image: sklearn-1.9-cpu
  inputs:
    flights: ${data.flights}
  suites:
    flights: suites/flights.json
"""

KIND = Kind(
    ValidationStep,
    "Processing",
    "Check tables against Great Expectations suites; broken data stops the pipeline.",
    emit,
    outputs,
    needs,
    checks,
    example=_EXAMPLE,
)
