"""What can be read about executions."""

from __future__ import annotations

from pipelines.backends.local.engine.engine import Engine
from pipelines.backends.local.pipelines import Pipelines
from pipelines.backends.local.requests import (
    Members,
    Order,
    check_choice,
    given,
    moment,
    page,
    within,
)
from pipelines.backends.local.state.execution_store import ExecutionStore
from pipelines.backends.local.state.records import ExecutionRecord, StepRecord
from pipelines.execution.parameters import shown
from pipelines.execution.schedule import read_definition
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_ONE = Members(("PipelineExecutionArn",))
_PAGED = Members(("PipelineExecutionArn",), ("NextToken", "MaxResults"))
_STEPS = Members(("PipelineExecutionArn",), ("NextToken", "MaxResults", "SortOrder"))
_LIST = Members(
    ("PipelineName",),
    ("CreatedAfter", "CreatedBefore", "SortBy", "SortOrder", "NextToken", "MaxResults"),
)
_SHOWN = ("PipelineExecutionDescription", "PipelineExecutionDisplayName")


@frozen
class ExecutionViews:
    """The operations that describe and list."""

    store: ExecutionStore
    pipelines: Pipelines
    engine: Engine

    def describe_pipeline_execution(self, **request: Json) -> JsonObject:
        """Return an execution."""
        _ONE.check(request)
        record = self.engine.find(request["PipelineExecutionArn"])
        return {
            "PipelineArn": record.arn.partition("/execution/")[0],
            "PipelineExecutionArn": record.arn,
            "PipelineExecutionStatus": str(record.status),
            "CreationTime": moment(record.created),
            "LastModifiedTime": moment(record.modified),
            **record.request,
            **_failure("FailureReason", record.failure),
        }

    def list_pipeline_executions(self, **request: Json) -> JsonObject:
        """List a pipeline's executions, the newest first."""
        _LIST.check(request)
        choices = ("CreationTime", "PipelineExecutionArn")
        check_choice("SortBy", request.get("SortBy"), choices)
        pipeline = self.pipelines.row(request["PipelineName"])
        records = [
            record
            for record in self.store.of_pipeline(pipeline["name"])
            if within(record.created, request, "CreatedAfter", "CreatedBefore")
        ]
        by_arn = request.get("SortBy") == "PipelineExecutionArn"
        order = Order[ExecutionRecord](
            lambda record: (record.arn,) if by_arn else (record.created, record.arn), "Descending"
        )
        records, token = page(records, order, request)
        return {"PipelineExecutionSummaries": [_summary(record) for record in records], **token}

    def list_pipeline_execution_steps(self, **request: Json) -> JsonObject:
        """List the steps that ran or run, in the order in which they started."""
        _STEPS.check(request)
        record = self.engine.find(request["PipelineExecutionArn"])
        steps = list(enumerate(self.store.steps(record.id)))
        order = Order[tuple[int, StepRecord]](lambda item: (item[0],))
        steps, token = page(steps, order, request)
        nodes = read_definition(record.definition).nodes
        described = [_step(step, nodes[step.name].step) for _, step in steps]
        return {"PipelineExecutionSteps": described, **token}

    def list_pipeline_parameters_for_execution(self, **request: Json) -> JsonObject:
        """List every parameter with its value, as strings."""
        _PAGED.check(request)
        record = self.engine.find(request["PipelineExecutionArn"])
        parameters = [
            (index, {"Name": name, "Value": shown(value)})
            for index, (name, value) in enumerate(record.parameters.items())
        ]
        order = Order[tuple[int, dict[str, str]]](lambda item: (item[0],))
        parameters, token = page(parameters, order, request)
        return {"PipelineParameters": [item for _, item in parameters], **token}

    def describe_pipeline_definition_for_execution(self, **request: Json) -> JsonObject:
        """Return the definition that an execution runs."""
        _ONE.check(request)
        record = self.engine.find(request["PipelineExecutionArn"])
        return {
            "PipelineDefinition": record.definition,
            "CreationTime": moment(record.created),
        }


def _summary(record: ExecutionRecord) -> JsonObject:
    return {
        "PipelineExecutionArn": record.arn,
        "StartTime": moment(record.created),
        "PipelineExecutionStatus": str(record.status),
        **given(record.request, _SHOWN),
        **_failure("PipelineExecutionFailureReason", record.failure),
    }


def _failure(member: str, reason: str | None) -> JsonObject:
    return {} if reason is None else {member: reason}


def _step(record: StepRecord, step: JsonObject) -> JsonObject:
    described: JsonObject = {
        "StepName": record.name,
        "StartTime": moment(record.started),
        "StepStatus": str(record.status),
        "AttemptCount": record.attempts,
        "Metadata": dict(record.metadata),
    }
    optional = {
        "StepDisplayName": step.get("DisplayName"),
        "StepDescription": step.get("Description"),
        "EndTime": None if record.ended is None else moment(record.ended),
        "CacheHitResult": _source(record.cached_from),
        "SelectiveExecutionResult": _source(record.reused_from),
        "FailureReason": record.reason,
    }
    return {**described, **{key: value for key, value in optional.items() if value is not None}}


def _source(arn: str | None) -> JsonObject | None:
    return None if arn is None else {"SourcePipelineExecutionArn": arn}
