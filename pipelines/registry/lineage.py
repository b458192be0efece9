"""A version in the registry → where it comes from: execution, commit, data, metrics."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.definition.named import defaults_of, known_text, read
from pipelines.definition.needs import sources_in
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.executions import parameters_of
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.registry import packages
from pipelines.spec.commit import UNKNOWN

_CODE = "code"

PROMOTED_FROM = "promoted.from"
"""The property of a promoted version that holds the ARN of its source."""


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
    def origin(self) -> str | None:
        """The ARN of the version that this one was promoted from; None where it was not."""
        properties = self.package.get("CustomerMetadataProperties") or {}
        origin: str | None = properties.get(PROMOTED_FROM)
        return origin

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
    package = packages.version(caller, name)
    metrics = packages.metrics(caller, package)
    arn = str((package.get("MetadataProperties") or {}).get("GeneratedBy", ""))
    here = _registry(arn) == _registry(package["ModelPackageArn"])
    execution = _execution(caller, arn) if here else None
    if execution is None:
        return Lineage(package, None, {}, {}, metrics)
    parameters = parameters_of(caller, arn)
    described = caller.call(
        "sagemaker", "describe_pipeline_definition_for_execution", PipelineExecutionArn=arn
    )
    definition = read(described["PipelineDefinition"])
    return Lineage(package, execution, parameters, data_of(definition, parameters), metrics)


def _registry(arn: str) -> list[str]:
    """Return partition, service, region and account: a promoted version was made in another."""
    return arn.split(":")[1:5]


def _execution(caller: Caller, arn: str) -> JsonObject | None:
    if "/execution/" not in arn:
        return None
    try:
        return caller.call("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=arn)
    except CallRefusedError as error:
        if error.is_missing:
            return None
        raise


def data_of(definition: JsonObject, parameters: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Find what steps read from outside, by input; what another step made is left out."""
    given = {**defaults_of(definition), **parameters}
    found: dict[str, dict[str, None]] = {}
    for name, source in sources_in(definition):
        text = known_text(source, given)
        if text is not None and name != _CODE:
            found.setdefault(name, {})[text] = None
    return {name: tuple(uris) for name, uris in found.items()}
