"""Executions: started, found, listed, stopped."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import field
from itertools import islice

from pipelines.errors import UsageError
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.identifiers import generations_back, identifier
from pipelines.execution.parameters import typed_parameters
from pipelines.execution.selection import Selection
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.spec.commit import COMMIT

_NAMED = 5
_DESCRIPTION, _ENVIRONMENT = "PipelineExecutionDescription", "environment "


@frozen
class StartRequest:
    """What an execution is started with.

    Args:
        pipeline: the pipeline's name.
        parameters: values by name, as text.
        selection: the steps that alone are to run, and on which results; None for all.
        commit: what the code was at, for pipelines that record it; None where it is not known.
        env: the environment of the spec that is meant; the execution is described by it.
    """

    pipeline: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    selection: Selection | None = None
    commit: str | None = None
    env: str | None = None


def described(env: str | None) -> JsonObject:
    """Return the members that describe an execution by the environment of its spec."""
    return {} if env is None else {_DESCRIPTION: f"{_ENVIRONMENT}{env}"}


def environment_of(execution: JsonObject) -> str | None:
    """Read the environment out of an execution that was `described` by one."""
    text = str(execution.get(_DESCRIPTION, ""))
    return text.removeprefix(_ENVIRONMENT) if text.startswith(_ENVIRONMENT) else None


def start(caller: Caller, request: StartRequest) -> str:
    """Start an execution of what is deployed; return its ARN.

    The request carries a token, so that a retry of it starts nothing twice.

    Raises:
        UsageError: there is no such pipeline, or parameters do not fit it.
        CallRefusedError: it was refused.
    """
    document: JsonObject = json.loads(deployed(caller, request.pipeline))
    parameters = _parameters(document, request)
    members: JsonObject = {
        "PipelineName": request.pipeline,
        "ClientRequestToken": uuid.uuid4().hex,
        "PipelineParameters": [{"Name": n, "Value": v} for n, v in parameters.items()],
        **described(request.env),
        **(request.selection.request() if request.selection else {}),
    }
    started = caller.call("sagemaker", "start_pipeline_execution", **members)
    return str(started["PipelineExecutionArn"])


def stop(caller: Caller, arn: str) -> None:
    """Ask an execution to stop.

    Raises:
        CallRefusedError: it was refused.
    """
    request = {"PipelineExecutionArn": arn, "ClientRequestToken": uuid.uuid4().hex}
    caller.call("sagemaker", "stop_pipeline_execution", **request)


def deployed(caller: Caller, pipeline: str) -> str:
    """Return the definition of a pipeline.

    Raises:
        UsageError: there is no such pipeline.
        CallRefusedError: it was refused.
    """
    try:
        described = caller.call("sagemaker", "describe_pipeline", PipelineName=pipeline)
    except CallRefusedError as error:
        if not error.is_missing:
            raise
        local = " --local" if caller.is_local else ""
        raise UsageError(
            f"there is no pipeline `{pipeline}`", f"deploy it first: pipelines upsert{local}"
        ) from error
    return str(described["PipelineDefinition"])


def executions(caller: Caller, pipelines: Iterable[str], most: int) -> list[JsonObject]:
    """List executions, the latest first: their summaries, each with its `PipelineName`.

    Args:
        caller: where.
        pipelines: names; those that are not there have none.
        most: how many to list.
    """
    found = [
        {**summary, "PipelineName": name}
        for name in pipelines
        for summary in islice(summaries(caller, name), most)
    ]
    found.sort(key=lambda e: (e["StartTime"], e["PipelineExecutionArn"]), reverse=True)
    return found[:most]


def find(caller: Caller, pipelines: Iterable[str], execution: str) -> JsonObject:
    """Describe an execution that is given by its id, its ARN, or as `latest` or `latest~1`.

    Raises:
        UsageError: there is none.
    """
    names = tuple(pipelines)
    back = generations_back(execution)
    if back is not None:
        known = executions(caller, names, back + 1)[back:]
        candidates = [str(summary["PipelineExecutionArn"]) for summary in known]
    elif execution.startswith("arn:"):
        candidates = [execution]
    else:
        candidates = [f"{arn}/execution/{execution}" for arn in _arns(caller, names)]
    for arn in candidates:
        try:
            return caller.call("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=arn)
        except CallRefusedError as error:
            if not (error.is_missing or error.code in {"ValidationException", "ValidationError"}):
                raise
    raise _unknown(caller, names, execution)


def steps(caller: Caller, arn: str) -> list[JsonObject]:
    """List the steps of an execution that began, in the order in which they did."""
    listed = caller.pages(
        "sagemaker",
        "list_pipeline_execution_steps",
        "PipelineExecutionSteps",
        PipelineExecutionArn=arn,
        SortOrder="Ascending",
    )
    return list(listed)


def parameters_of(caller: Caller, arn: str) -> dict[str, str]:
    """Return the parameters that an execution was started with, as text."""
    operation, member = "list_pipeline_parameters_for_execution", "PipelineParameters"
    listed = caller.pages("sagemaker", operation, member, PipelineExecutionArn=arn)
    return {str(one["Name"]): str(one["Value"]) for one in listed}


def _parameters(document: JsonObject, request: StartRequest) -> dict[str, str]:
    """Return what the pipeline is given; one that records no commit is not told it."""
    declared = {item["Name"] for item in document.get("Parameters") or []}
    selection = request.selection
    given = {**(selection.parameters if selection else {}), **request.parameters}
    if request.commit is not None and COMMIT in declared:
        given.setdefault(COMMIT, request.commit)
    typed_parameters(document, given, selection.steps if selection else ())
    return given


def summaries(caller: Caller, pipeline: str) -> Iterable[JsonObject]:
    """Yield the summaries of a pipeline's executions, the latest first; it may not be there."""
    request = {"PipelineName": pipeline, "SortBy": "CreationTime", "SortOrder": "Descending"}
    pages = caller.pages(
        "sagemaker", "list_pipeline_executions", "PipelineExecutionSummaries", **request
    )
    try:
        yield from pages
    except CallRefusedError as error:
        if not error.is_missing:
            raise


def _arns(caller: Caller, pipelines: Iterable[str]) -> Iterable[str]:
    for name in pipelines:
        try:
            yield caller.call("sagemaker", "describe_pipeline", PipelineName=name)["PipelineArn"]
        except CallRefusedError as error:
            if not error.is_missing:
                raise


def _unknown(caller: Caller, pipelines: tuple[str, ...], execution: str) -> UsageError:
    known = ", ".join(identifier(e) for e in executions(caller, pipelines, _NAMED))
    begin = "python -m pipelines run" if caller.is_local else "pipelines start"
    if known:
        return UsageError(f"there is no execution `{execution}`", f"the latest: {known}")
    return UsageError("there are no executions yet", f"run the pipeline: {begin}")
