"""Executions: started, described, listed, stopped, retried. `Engine` runs them."""

from __future__ import annotations

import json
from dataclasses import replace

from pipelines.backends.local.engine.context import execution_folder
from pipelines.backends.local.engine.engine import Engine
from pipelines.backends.local.engine.identifiers import EXECUTION_ID_LENGTH, Token
from pipelines.backends.local.engine.selective import select
from pipelines.backends.local.errors import conflict, invalid, validated
from pipelines.backends.local.pipelines import Pipelines
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.requests import Members, given
from pipelines.backends.local.state.execution_store import ExecutionStore
from pipelines.backends.local.state.records import ExecutionRecord
from pipelines.execution.parameters import shown, typed_parameters
from pipelines.execution.schedule import read_definition
from pipelines.execution.status import ENDED, ExecutionStatus, StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_KEPT = (
    "PipelineExecutionDisplayName",
    "PipelineExecutionDescription",
    "ParallelismConfiguration",
    "SelectiveExecutionConfig",
    "RoleArn",
)
_START = Members(
    ("PipelineName",),
    (
        *_KEPT,
        "PipelineParameters",
        "ClientRequestToken",
        "PipelineVersionId",
        "MlflowExperimentName",
    ),
)
_STOP = Members(("PipelineExecutionArn",), ("ClientRequestToken",))
_RETRY = Members(("PipelineExecutionArn",), ("ClientRequestToken", "ParallelismConfiguration"))


@frozen
class Executions:
    """The operations that begin and end executions."""

    premises: Premises
    store: ExecutionStore
    pipelines: Pipelines
    engine: Engine
    token: Token

    def start_pipeline_execution(self, **request: Json) -> JsonObject:
        """Record a new execution, which `run` then executes.

        Raises:
            ServiceError: ResourceNotFound, or ValidationException: parameters that do not fit the
                definition, a selection that cannot run.
        """
        _START.check(request)
        pipeline = self.pipelines.row(request["PipelineName"])
        version = self.pipelines.version(pipeline["name"], request.get("PipelineVersionId"))
        kept = given(request, _KEPT)
        if "ParallelismConfiguration" not in kept:
            kept.update(given(json.loads(pipeline["record"]), ("ParallelismConfiguration",)))
        kept["PipelineVersionId"] = version["version"]
        identifier, now = self.token(EXECUTION_ID_LENGTH), self.premises.now()
        record = ExecutionRecord(
            id=identifier,
            arn=f"{pipeline['arn']}/execution/{identifier}",
            pipeline=pipeline["name"],
            status=ExecutionStatus.EXECUTING,
            created=now,
            modified=now,
            definition=version["definition"],
            parameters={},
            request=kept,
            token=request.get("ClientRequestToken"),
        )
        parameters = {
            item["Name"]: str(item["Value"]) for item in request.get("PipelineParameters") or []
        }
        with validated():
            record = self.store.add(self._prepared(record, parameters))
        folder = execution_folder(self.premises.settings.home, record.id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "definition.json").write_text(record.definition, encoding="utf-8")
        return {"PipelineExecutionArn": record.arn}

    def stop_pipeline_execution(self, **request: Json) -> JsonObject:
        """Ask a running execution to stop; one that no process runs is stopped at once."""
        _STOP.check(request)
        record = self.engine.find(request["PipelineExecutionArn"])
        if record.status not in (ExecutionStatus.EXECUTING, ExecutionStatus.STOPPING):
            raise conflict(f"Pipeline execution {record.arn} has ended: {record.status}.")
        now = self.premises.now()
        if self.engine.is_running(record.id):
            self.store.ask_to_stop(record.id, now)
            self.engine.request_stop(record.id)
        else:
            for step in self.store.steps(record.id):
                if step.status not in ENDED:
                    self.store.save_step(replace(step, status=StepStatus.STOPPED, ended=now))
            self.store.move(record.id, ExecutionStatus.STOPPED, now)
        return {"PipelineExecutionArn": record.arn}

    def retry_pipeline_execution(self, **request: Json) -> JsonObject:
        """Set an execution that failed or was stopped to Executing, for `run` to go on with."""
        _RETRY.check(request)
        record = self.engine.find(request["PipelineExecutionArn"])
        if self.engine.is_running(record.id):
            raise conflict(f"Pipeline execution {record.arn} is running.")
        kept = {**record.request, **given(request, ("ParallelismConfiguration",))}
        self.store.save(replace(record, request=kept))
        self.engine.reopen(record)
        return {"PipelineExecutionArn": record.arn}

    def _prepared(self, record: ExecutionRecord, parameters: dict[str, str]) -> ExecutionRecord:
        """Type the parameters and settle the source of a selective execution.

        A selective execution takes the parameters of its source where it is not given its own.
        """
        definition = read_definition(record.definition)
        config = record.request.get("SelectiveExecutionConfig")
        if config:
            source = self._source(record.pipeline, config)
            names = [item["StepName"] for item in config["SelectedSteps"]]
            succeeded = {
                step.name
                for step in self.store.steps(source.id)
                if step.status is StepStatus.SUCCEEDED
            }
            select(definition, names, succeeded)
            declared = {item["Name"] for item in definition.document.get("Parameters") or []}
            earlier = {
                name: shown(value) for name, value in source.parameters.items() if name in declared
            }
            parameters = {**earlier, **parameters}
            settled = {**config, "SourcePipelineExecutionArn": source.arn}
            record = replace(
                record, request={**record.request, "SelectiveExecutionConfig": settled}
            )
        return replace(record, parameters=typed_parameters(definition.document, parameters))

    def _source(self, pipeline: str, config: JsonObject) -> ExecutionRecord:
        arn = config.get("SourcePipelineExecutionArn")
        if arn is not None:
            return self.engine.find(arn)
        earlier = self.store.of_pipeline(pipeline)
        if not earlier:
            raise invalid(
                f"pipeline {pipeline} has no earlier execution to take results from",
                "run the whole pipeline first",
            )
        return earlier[-1]
