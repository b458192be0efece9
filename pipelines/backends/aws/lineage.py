"""A version in the registry → where it comes from: execution, commit, data, metrics (D16)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pipelines.backends.aws import registry
from pipelines.backends.aws.caller import Caller
from pipelines.backends.aws.errors import AwsError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.spec.commit import UNKNOWN

_CODE = "code"
_PARAMETER = "Parameters."


@frozen
class Lineage:
    """Where a version comes from.

    Args:
        package: the version, as DescribeModelPackage gives it.
        execution: the execution that made it; None where it is not known or not there any more.
        parameters: what the execution was given, by name.
        data: what its steps read from outside the pipeline: input name → URIs.
        metrics: the numbers of its quality report.
    """

    package: JsonObject
    execution: JsonObject | None
    parameters: Mapping[str, str]
    data: Mapping[str, tuple[str, ...]]
    metrics: Mapping[str, float]

    @property
    def commit(self) -> str | None:
        """The commit of the code; None where it was not recorded."""
        commit = (self.package.get("MetadataProperties") or {}).get("CommitId")
        return None if commit in {None, "", UNKNOWN} else str(commit)


def trace(caller: Caller, name: str) -> Lineage:
    """Find where a version comes from.

    Args:
        caller: where.
        name: `group/number`, or an ARN.

    Raises:
        UsageError: there is no such version.
    """
    package = registry.version(caller, name)
    metrics = registry.metrics(caller, package)
    arn = str((package.get("MetadataProperties") or {}).get("GeneratedBy", ""))
    execution = _execution(caller, arn)
    if execution is None:
        return Lineage(package, None, {}, {}, metrics)
    operation, member = "list_pipeline_parameters_for_execution", "PipelineParameters"
    listed = caller.pages("sagemaker", operation, member, PipelineExecutionArn=arn)
    parameters = {item["Name"]: str(item["Value"]) for item in listed}
    definition = caller.call(
        "sagemaker", "describe_pipeline_definition_for_execution", PipelineExecutionArn=arn
    )["PipelineDefinition"]
    return Lineage(package, execution, parameters, _data(definition, parameters), metrics)


def _execution(caller: Caller, arn: str) -> JsonObject | None:
    if "/execution/" not in arn:
        return None
    try:
        return caller.call("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=arn)
    except AwsError as error:
        if error.is_missing:
            return None
        raise


def _data(definition: str, parameters: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for step in _steps(json.loads(definition)["Steps"]):
        for name, uri in _inputs(step.get("Arguments") or {}):
            text = _text(uri, parameters)
            if text is not None and name != _CODE:
                found.setdefault(name, {})[text] = None
    return {name: tuple(uris) for name, uris in found.items()}


def _steps(steps: Json) -> Iterator[JsonObject]:
    for step in steps or []:
        yield step
        if step["Type"] == "Condition":
            for branch in ("IfSteps", "ElseSteps"):
                yield from _steps(step["Arguments"].get(branch))


def _inputs(arguments: JsonObject) -> Iterator[tuple[str, Json]]:
    for given in arguments.get("ProcessingInputs") or []:
        yield given.get("InputName", ""), (given.get("S3Input") or {}).get("S3Uri")
    for channel in arguments.get("InputDataConfig") or []:
        source = (channel.get("DataSource") or {}).get("S3DataSource") or {}
        yield channel.get("ChannelName", ""), source.get("S3Uri")


def _text(uri: Json, parameters: Mapping[str, str]) -> str | None:
    """Return a URI that comes from outside; one of another step of the pipeline is none."""
    if isinstance(uri, str):
        return uri
    if isinstance(uri, dict) and str(uri.get("Get", "")).startswith(_PARAMETER):
        return parameters.get(uri["Get"].removeprefix(_PARAMETER))
    return None
