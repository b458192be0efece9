"""What Processing, QualityCheck and ClarifyCheck share: the request of a processing job."""

from __future__ import annotations

from typing import Final

from pipelines.grammar.functions import is_function
from pipelines.json_types import JsonObject
from pipelines.steptypes.clusters import (
    arguments_rule,
    count_limit,
    preferences_rules,
    runtime_limit,
    volume_limit,
    volume_rule,
)
from pipelines.steptypes.limits import Rule, Violations
from pipelines.steptypes.steptype import Cluster, DataPlace

_CLUSTER: Final = "ProcessingResources.ClusterConfig"

LOG_GROUP: Final = "/aws/sagemaker/ProcessingJobs"

ONE_OF: Final = (
    (_CLUSTER, ("InstanceType", "InstancePreferences")),
    (_CLUSTER, ("InstanceCount", "InstancePreferences")),
    ("ProcessingInputs.*", ("S3Input", "DatasetDefinition")),
    ("ProcessingOutputConfig.Outputs.*", ("S3Output", "FeatureStoreOutput")),
)

STRINGS: Final = ("Environment", "AppSpecification.ContainerArguments")

INPUTS: Final = (DataPlace(at="ProcessingInputs.*", named_by="InputName", uri="S3Input.S3Uri"),)

OUTPUTS: Final = (
    DataPlace(at="ProcessingOutputConfig.Outputs.*", named_by="OutputName", uri="S3Output.S3Uri"),
)

CLUSTERS: Final = (
    Cluster(
        usage="processing job",
        at=_CLUSTER,
        volume=f"{_CLUSTER}.VolumeSizeInGB",
        runtime="StoppingCondition.MaxRuntimeInSeconds",
    ),
)

LIMITS: Final = (
    count_limit(f"{_CLUSTER}.InstanceCount", f"{_CLUSTER}.InstancePreferences.*.InstanceCount"),
    volume_limit(f"{_CLUSTER}.VolumeSizeInGB"),
    runtime_limit("StoppingCondition.MaxRuntimeInSeconds"),
)


def _local_path_is_given(entry: JsonObject) -> Violations:
    """An input or output that the job handles itself stands at a path of the container."""
    for key in ("S3Input", "S3Output"):
        objects = entry.get(key)
        if entry.get("AppManaged") is True or not isinstance(objects, dict):
            continue
        if objects.get("LocalPath") is None and not is_function(objects):
            yield (key,), f"`LocalPath` is missing in `{key}`"


def _gzip_is_piped(objects: JsonObject) -> Violations:
    """Compressed inputs are read in input mode Pipe only."""
    mode = objects.get("S3InputMode", "File")
    if objects.get("S3CompressionType") == "Gzip" and mode == "File":
        yield ("S3CompressionType",), f"`Gzip` cannot be read in input mode `{mode}`"


RULES: Final = (
    Rule(
        at=("ProcessingInputs.*.S3Input",),
        violations=_gzip_is_piped,
        help="use input mode `Pipe`, or leave the input uncompressed",
        source="CreateProcessingJob API",
    ),
    Rule(
        at=("ProcessingInputs.*", "ProcessingOutputConfig.Outputs.*"),
        violations=_local_path_is_given,
        help="name a folder below /opt/ml/processing; only `AppManaged` ones have none",
        source="CreateProcessingJob API",
    ),
    *preferences_rules(_CLUSTER, excluded=("InstanceType",)),
    volume_rule(_CLUSTER),
    arguments_rule("AppSpecification"),
)
