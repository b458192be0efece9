"""Pipeline executions: started, described, listed, stopped, retried. `Engine` runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipelines.backends.local.engine.engine import Engine
from pipelines.backends.local.engine.folders import execution_folder
from pipelines.backends.local.engine.parts import Token
from pipelines.backends.local.errors import conflict, invalid, validated
from pipelines.backends.local.operations.context import BY_NOBODY, OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.pipelines import (
    refuse_aliases,
    require_pipeline,
    version_of_request,
)
from pipelines.backends.local.operations.requests import (
    PageRequest,
    SortKey,
    all_but,
    bounds,
    given,
    moment,
    page,
)
from pipelines.backends.local.state.executions import (
    ExecutionRecord,
    ExecutionSummary,
    StepRecord,
)
from pipelines.backends.local.state.paging import PageQuery
from pipelines.execution.parameters import shown, typed_parameters
from pipelines.execution.schedule import read_schedule
from pipelines.execution.selection import select
from pipelines.execution.status import ENDED, REUSABLE, ExecutionStatus, StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_NOT_DESCRIBED = (
    "PipelineName",
    "PipelineParameters",
    "ClientRequestToken",
    "PipelineVersionAlias",
    "MlflowExperimentName",
)
_ID_LENGTH = 12
_LISTED = ("PipelineExecutionDescription", "PipelineExecutionDisplayName")


@frozen
class ExecutionOperations:
    """The operations on executions; `run_started` may run one that has been recorded as started."""

    context: OperationContext
    engine: Engine
    token: Token
    run_started: Callable[[str], None]

    @operation("StartPipelineExecution")
    def start_pipeline_execution(self, **request: Json) -> JsonObject:
        """Record a new execution, which `LocalSageMaker.run` then executes.

        Raises:
            ServiceError: ResourceNotFound, or ValidationException: parameters that do not fit the
                definition, a selection that cannot run.
        """
        pipeline = require_pipeline(self.context, request["PipelineName"])
        version = version_of_request(self.context, pipeline, request)
        kept = all_but(request, *_NOT_DESCRIBED)
        if "ParallelismConfiguration" not in kept:
            kept.update(given(pipeline.content, ("ParallelismConfiguration",)))
        kept["PipelineVersionId"] = version.number
        identifier, now = self.token(_ID_LENGTH), self.context.now()
        record = ExecutionRecord(
            id=identifier,
            arn=f"{pipeline.arn}/execution/{identifier}",
            pipeline=pipeline.name,
            status=ExecutionStatus.EXECUTING,
            created=now,
            modified=now,
            definition=version.definition,
            parameters={},
            request=kept,
            token=request.get("ClientRequestToken"),
        )
        parameters = {
            item["Name"]: str(item["Value"]) for item in request.get("PipelineParameters") or []
        }
        with validated(), self.context.state.transaction():  # its source is not pruned meanwhile
            record = self.context.state.executions.add(self._prepared(record, parameters))
        folder = execution_folder(self.context.settings.home, record.id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "definition.json").write_text(record.definition, encoding="utf-8")
        self.run_started(record.arn)
        return {"PipelineExecutionArn": record.arn}

    @operation("StopPipelineExecution")
    def stop_pipeline_execution(self, **request: Json) -> JsonObject:
        """Request a running execution to stop; one that no process runs is stopped at once."""
        record = self.engine.find(request["PipelineExecutionArn"])
        if record.status not in (ExecutionStatus.EXECUTING, ExecutionStatus.STOPPING):
            raise conflict(f"Pipeline execution {record.arn} has ended: {record.status}.")
        now, store = self.context.now(), self.context.state.executions
        if self.engine.is_running(record.id):
            store.ask_to_stop(record.id, now)
            self.engine.request_stop(record.id)
        else:
            for step in store.steps(record.id):
                if step.status not in ENDED:
                    store.save_step(replace(step, status=StepStatus.STOPPED, ended=now))
            store.move(record.id, ExecutionStatus.STOPPED, now)
        return {"PipelineExecutionArn": record.arn}

    @operation("RetryPipelineExecution")
    def retry_pipeline_execution(self, **request: Json) -> JsonObject:
        """Set a failed or stopped execution to Executing, for `LocalSageMaker.run` to resume."""
        record = self.engine.find(request["PipelineExecutionArn"])
        if self.engine.is_running(record.id):
            raise conflict(f"Pipeline execution {record.arn} is running.")
        kept = {**record.request, **given(request, ("ParallelismConfiguration",))}
        self.context.state.executions.save(replace(record, request=kept))
        self.engine.reopen(record)
        self.run_started(record.arn)
        return {"PipelineExecutionArn": record.arn}

    @operation("DescribePipelineExecution")
    def describe_pipeline_execution(self, **request: Json) -> JsonObject:
        """Return an execution."""
        record = self.engine.find(request["PipelineExecutionArn"])
        return {
            "PipelineArn": record.arn.partition("/execution/")[0],
            "PipelineExecutionArn": record.arn,
            "PipelineExecutionStatus": str(record.status),
            "CreationTime": moment(record.created),
            "LastModifiedTime": moment(record.modified),
            **BY_NOBODY,
            **_display_name(record.created),
            **record.request,
            **_failure("FailureReason", record.failure),
        }

    @operation("ListPipelineExecutions")
    def list_pipeline_executions(self, **request: Json) -> JsonObject:
        """List a pipeline's executions, the newest first."""
        refuse_aliases(request)
        pipeline = require_pipeline(self.context, request["PipelineName"])
        after, before = bounds(request, "CreatedAfter", "CreatedBefore")
        conditions = (
            ("pipeline = ?", pipeline.name),
            ("created > ?", after),
            ("created < ?", before),
        )
        by_arn = request.get("SortBy") == "PipelineExecutionArn"
        asked = PageRequest.of(request, "Descending", ("",) if by_arn else (0.0, ""))
        order = ("arn",) if by_arn else ("created", "arn")
        query = PageQuery(conditions, order, asked.descending, asked.last, asked.size + 1)
        records, token = asked.cut(
            self.context.state.executions.listed(query),
            lambda record: (record.arn,) if by_arn else (record.created, record.arn),
        )
        return {"PipelineExecutionSummaries": [_summary(record) for record in records], **token}

    @operation("ListPipelineExecutionSteps")
    def list_pipeline_execution_steps(self, **request: Json) -> JsonObject:
        """List the steps that have run or are running, the one that started last first."""
        arn = request.get("PipelineExecutionArn")
        if arn is None:  # the service's model does not require it
            raise invalid("the request has no PipelineExecutionArn")
        record = self.engine.find(arn)
        steps = list(enumerate(self.context.state.executions.steps(record.id)))
        order = SortKey[tuple[int, StepRecord]](lambda item: (item[0],), "Descending")
        steps, token = page(steps, order, request)
        nodes = read_schedule(record.definition).steps
        described = [_step(step, nodes[step.name].step) for _, step in steps]
        return {"PipelineExecutionSteps": described, **token}

    @operation("ListPipelineParametersForExecution")
    def list_pipeline_parameters_for_execution(self, **request: Json) -> JsonObject:
        """List every parameter with its value, as strings."""
        record = self.engine.find(request["PipelineExecutionArn"])
        parameters = [
            (index, {"Name": name, "Value": shown(value)})
            for index, (name, value) in enumerate(record.parameters.items())
        ]
        order = SortKey[tuple[int, dict[str, str]]](lambda item: (item[0],))
        parameters, token = page(parameters, order, request)
        return {"PipelineParameters": [item for _, item in parameters], **token}

    @operation("DescribePipelineDefinitionForExecution")
    def describe_pipeline_definition_for_execution(self, **request: Json) -> JsonObject:
        """Return the definition that an execution runs."""
        record = self.engine.find(request["PipelineExecutionArn"])
        return {
            "PipelineDefinition": record.definition,
            "CreationTime": moment(record.created),
        }

    def _prepared(self, record: ExecutionRecord, parameters: dict[str, str]) -> ExecutionRecord:
        """Type the parameters; a selection must fit the definition and its source execution.

        The service takes no parameters over from the source, and refuses a selection that needs
        a source and names none.
        """
        definition = read_schedule(record.definition)
        config = record.request.get("SelectiveExecutionConfig")
        names: list[str] = []
        if config:
            names = [item["StepName"] for item in config["SelectedSteps"]]
            select(definition, names, self._succeeded(record, config))
        return replace(record, parameters=typed_parameters(definition.document, parameters, names))

    def _succeeded(self, record: ExecutionRecord, config: JsonObject) -> set[str] | None:
        """Name the steps that succeeded in the source of a selective execution."""
        arn = config.get("SourcePipelineExecutionArn")
        if arn is None:
            return None
        source = self.engine.find(arn)
        if source.pipeline != record.pipeline:
            raise invalid(
                f"execution {source.id} is one of {source.pipeline}: its results cannot be used",
                f"name one of {record.pipeline}",
            )
        if source.status not in REUSABLE:
            raise invalid(
                f"execution {source.id} is {source.status}: its results cannot be used",
                "name one that has Succeeded or Failed",
            )
        steps = self.context.state.executions.steps(source.id)
        return {step.name for step in steps if step.status is StepStatus.SUCCEEDED}


def _summary(record: ExecutionSummary) -> JsonObject:
    return {
        "PipelineExecutionArn": record.arn,
        "StartTime": moment(record.created),
        "PipelineExecutionStatus": str(record.status),
        **_display_name(record.created),
        **given(record.request, _LISTED),
        **_failure("PipelineExecutionFailureReason", record.failure),
    }


def _display_name(started: float) -> JsonObject:
    """Return the name that the service gives an execution that is given none."""
    return {"PipelineExecutionDisplayName": f"execution-{int(started * 1000)}"}


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
        "CacheHitResult": _source_of(record.cached_from),
        "SelectiveExecutionResult": _source_of(record.reused_from),
        "FailureReason": record.reason,
    }
    return {**described, **{key: value for key, value in optional.items() if value is not None}}


def _source_of(arn: str | None) -> JsonObject | None:
    return None if arn is None else {"SourcePipelineExecutionArn": arn}
