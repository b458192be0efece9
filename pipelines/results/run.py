"""An execution, read whole: its definition, its parameters, and what each of its steps became."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from pipelines.definition.named import read
from pipelines.definition.steps import Step, take_apart
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.executions import parameters_of, steps
from pipelines.execution.identifiers import identifier, pipeline_of
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.results.source import ResultSource
from pipelines.steptypes import StepType, find_listed

_REUSED = ("CacheHitResult", "SelectiveExecutionResult")


@frozen
class StepResult:
    """What a step of an execution became.

    Args:
        listed: the step, as ListPipelineExecutionSteps gives it.
        step: the step, as the definition has it; None where it has none of that name.
        described: the Describe response of its job; empty where it ran as none.
    """

    listed: JsonObject
    step: Step | None
    described: JsonObject

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.listed["StepName"])

    @property
    def status(self) -> str:
        """Its status."""
        return str(self.listed["StepStatus"])

    @property
    def reason(self) -> str | None:
        """Why it failed; None where it did not."""
        return self.listed.get("FailureReason")

    @property
    def type(self) -> StepType | None:
        """What is known of its Type."""
        return None if self.step is None else self.step.known

    @property
    def reused_from(self) -> str | None:
        """The id of the execution whose result it is; None where it ran itself."""
        for member in _REUSED:
            arn = (self.listed.get(member) or {}).get("SourcePipelineExecutionArn")
            if arn:
                return identifier(str(arn))
        return None

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        began, ended = self.listed.get("StartTime"), self.listed.get("EndTime")
        if not isinstance(began, datetime) or not isinstance(ended, datetime):
            return None
        return (ended - began).total_seconds()

    @property
    def version(self) -> str | None:
        """The version `GROUP/NUMBER` that it registered; None where it registered none."""
        arn = ((self.listed.get("Metadata") or {}).get("RegisterModel") or {}).get("Arn")
        return str(arn).partition(":model-package/")[2] or None if arn else None


@frozen
class ExecutionResult:
    """An execution and its steps.

    Args:
        execution: as DescribePipelineExecution gives it.
        definition: what it ran.
        parameters: their values, by name.
        steps: those that began, in the order in which they did.
    """

    execution: JsonObject
    definition: JsonObject
    parameters: Mapping[str, str]
    steps: tuple[StepResult, ...]

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.execution["PipelineExecutionArn"])

    @property
    def id(self) -> str:
        """Its id."""
        return identifier(self.arn)

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return pipeline_of(self.arn)

    @property
    def status(self) -> str:
        """Its status."""
        return str(self.execution["PipelineExecutionStatus"])

    @property
    def began(self) -> datetime:
        """When it was started."""
        began: datetime = self.execution["CreationTime"]
        return began

    @property
    def ended(self) -> datetime:
        """When its last step ended, so far."""
        ends = [step.listed.get("EndTime") or step.listed.get("StartTime") for step in self.steps]
        return max((end for end in ends if isinstance(end, datetime)), default=self.began)

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that it registered, as `GROUP/NUMBER`."""
        return tuple(step.version for step in self.steps if step.version is not None)


def read_execution(source: ResultSource, execution: JsonObject) -> ExecutionResult:
    """Read what became of an execution.

    Args:
        source: where.
        execution: as DescribePipelineExecution gives it.
    """
    caller, arn = source.caller, str(execution["PipelineExecutionArn"])
    described = caller.call(
        "sagemaker", "describe_pipeline_definition_for_execution", PipelineExecutionArn=arn
    )
    definition = read(described["PipelineDefinition"])
    parameters = parameters_of(caller, arn)
    named = take_apart(definition).named
    results = tuple(
        StepResult(one, named.get(one["StepName"]), described_job(caller, one))
        for one in _with_metadata(caller, steps(caller, arn))
    )
    return ExecutionResult(execution, definition, parameters, results)


def _with_metadata(caller: Caller, listed: list[JsonObject]) -> Iterator[JsonObject]:
    """Give a reused step that names no job the job of the step whose result it reuses."""
    sources: dict[str, dict[str, JsonObject]] = {}
    for one in listed:
        hit: JsonObject = next((one[member] for member in _REUSED if one.get(member)), {})
        arn = hit.get("SourcePipelineExecutionArn")
        if not arn or one.get("Metadata"):
            yield one
            continue
        if arn not in sources:
            sources[arn] = {step["StepName"]: step for step in _steps_there(caller, arn)}
        original = sources[arn].get(one["StepName"], {})
        yield {**one, "Metadata": original.get("Metadata") or {}}


def _steps_there(caller: Caller, arn: str) -> list[JsonObject]:
    try:
        return steps(caller, arn)
    except CallRefusedError as error:
        if error.is_missing:
            return []
        raise


def described_job(caller: Caller, listed: JsonObject) -> JsonObject:
    """Describe the job of a step; nothing where it is of a Type that writes nothing.

    Args:
        caller: where.
        listed: the step as ListPipelineExecutionSteps gives it.
    """
    for member, metadata in (listed.get("Metadata") or {}).items():
        known = find_listed(member)
        job = known.resource if known is not None else None
        arn = metadata.get(job.listed) if job is not None else None
        if known is None or job is None or job.name is None or not known.outputs or not arn:
            continue
        try:
            return caller.call("sagemaker", job.describe, **{job.name: str(arn).rpartition("/")[2]})
        except CallRefusedError as error:
            if not (error.is_missing or error.code == "ValidationException"):
                raise
    return {}
