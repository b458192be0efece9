"""Conditions between members of one structure, which no API shape can say.

Each function takes a structure out of a step's arguments and yields where it breaks the rule:
the path from that structure, and the problem. Members that are references pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from pipelines.diagnostics import Path
from pipelines.grammar.functions import is_function
from pipelines.json_types import Json, JsonObject

Broken: TypeAlias = Iterator[tuple[Path, str]]

PAYLOAD_MB: Final = 100
_NOT_SERVERLESS: Final = (
    "AsyncInferenceConfig",
    "DataCaptureConfig",
    "ShadowProductionVariants",
    "VpcConfig",
)
_LOCAL_STORAGE: Final = frozenset({"p4d", "p4de", "p5", "g4dn", "g5"})


def number(value: Json) -> float | None:
    """Return a number that stands there as such; None for references and anything else."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def member(value: Json, *keys: str) -> Json:
    """Return the member of a member, None where one is not there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _objects(value: Json) -> list[tuple[int, JsonObject]]:
    if not isinstance(value, list):
        return []
    return [(index, entry) for index, entry in enumerate(value) if isinstance(entry, dict)]


def _channels(job: JsonObject) -> Iterator[tuple[Path, JsonObject, Json]]:
    """Yield a job's channels: path, channel, the input mode that holds for it."""
    whole = member(job, "AlgorithmSpecification", "TrainingInputMode")
    for index, channel in _objects(job.get("InputDataConfig")):
        yield ("InputDataConfig", index), channel, channel.get("InputMode") or whole


def spot_waits(job: JsonObject) -> Broken:
    """Managed spot training needs a wait of at least the longest run."""
    if job.get("EnableManagedSpotTraining") is not True:
        return
    wait = member(job, "StoppingCondition", "MaxWaitTimeInSeconds")
    if wait is None:
        yield (
            ("EnableManagedSpotTraining",),
            "managed spot training without `MaxWaitTimeInSeconds`",
        )
    known, longest = number(wait), number(member(job, "StoppingCondition", "MaxRuntimeInSeconds"))
    if known is not None and longest is not None and known < longest:
        yield (
            ("StoppingCondition", "MaxWaitTimeInSeconds"),
            f"`MaxWaitTimeInSeconds` is {known}, less than `MaxRuntimeInSeconds` {longest}",
        )


def warm_pool_is_alone(job: JsonObject) -> Broken:
    """A warm pool is kept neither for spot instances nor for instance groups."""
    if number(member(job, "ResourceConfig", "KeepAlivePeriodInSeconds")) is None:
        return
    place = ("ResourceConfig", "KeepAlivePeriodInSeconds")
    if job.get("EnableManagedSpotTraining") is True:
        yield place, "a warm pool cannot be kept for managed spot training"
    if member(job, "ResourceConfig", "InstanceGroups"):
        yield place, "a warm pool cannot be kept for instance groups"


def gzip_is_piped(job: JsonObject) -> Broken:
    """Compressed channels are read in input mode Pipe only."""
    for path, channel, mode in _channels(job):
        if channel.get("CompressionType") == "Gzip" and mode in ("File", "FastFile"):
            place = (*path, "CompressionType")
            yield place, f"`Gzip` cannot be read in input mode `{mode}`"


def fast_file_reads_prefixes(job: JsonObject) -> Broken:
    """Input mode FastFile reads S3 prefixes only."""
    for path, channel, mode in _channels(job):
        keys = ("DataSource", "S3DataSource", "S3DataType")
        kind = member(channel, *keys)
        if mode == "FastFile" and kind in ("ManifestFile", "AugmentedManifestFile"):
            yield (*path, *keys), f"input mode `FastFile` cannot read a `{kind}`"


def file_systems_are_reached(job: JsonObject) -> Broken:
    """EFS and FSx need a VPC and input mode File."""
    for path, channel, mode in _channels(job):
        if member(channel, "DataSource", "FileSystemDataSource") is None:
            continue
        if not job.get("VpcConfig"):
            yield path, "a file system cannot be reached without `VpcConfig`"
        if mode in ("Pipe", "FastFile"):
            yield path, f"a file system cannot be read in input mode `{mode}`"


def local_path_is_given(entry: JsonObject) -> Broken:
    """An input or output that the job handles itself stands at a path of the container."""
    for key in ("S3Input", "S3Output"):
        objects = entry.get(key)
        if entry.get("AppManaged") is True or not isinstance(objects, dict):
            continue
        if objects.get("LocalPath") is None and not is_function(objects):
            yield (key,), f"`LocalPath` is missing in `{key}`"


def payload_fits(job: JsonObject) -> Broken:
    """Payload times concurrent transforms stays within 100 MB."""
    payload, together = (
        number(job.get("MaxPayloadInMB")),
        number(job.get("MaxConcurrentTransforms")),
    )
    if payload is not None and together is not None and payload * together > PAYLOAD_MB:
        yield (
            ("MaxPayloadInMB",),
            f"payload times concurrent transforms is {payload} x {together} MB",
        )


def memory_is_whole(serverless: JsonObject) -> Broken:
    """Serverless memory comes in steps of 1024 MB."""
    memory = number(serverless.get("MemorySizeInMB"))
    if memory is not None and memory % 1024:
        yield ("MemorySizeInMB",), f"`MemorySizeInMB` is {memory}, no multiple of 1024"


def provisioned_fits(serverless: JsonObject) -> Broken:
    """Provisioned concurrency stays within the greatest concurrency."""
    most = number(serverless.get("MaxConcurrency"))
    kept = number(serverless.get("ProvisionedConcurrency"))
    if most is not None and kept is not None and kept > most:
        yield (
            ("ProvisionedConcurrency",),
            f"`ProvisionedConcurrency` is {kept}, more than `MaxConcurrency` {most}",
        )


def serverless_is_alone(config: JsonObject) -> Broken:
    """A serverless variant stands alone, and without what only instances have."""
    variants = _objects(config.get("ProductionVariants"))
    if not any(variant.get("ServerlessConfig") for _, variant in variants):
        return
    for name in _NOT_SERVERLESS:
        if config.get(name):
            yield (name,), f"a serverless variant cannot stand with `{name}`"
    if len(variants) > 1:
        yield ("ProductionVariants",), "a serverless endpoint has exactly one variant"


def local_storage_takes_no_key(resources: JsonObject) -> Broken:
    """An instance with local storage takes no volume key."""
    instance = resources.get("InstanceType")
    if not isinstance(instance, str) or resources.get("VolumeKmsKeyId") is None:
        return
    if instance.removeprefix("ml.").split(".")[0] in _LOCAL_STORAGE:
        yield ("VolumeKmsKeyId",), f"`{instance}` has local storage, which takes no key"
