"""What Training and Tuning share: the request of a training job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.diagnostics import Path
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.clusters import (
    arguments_rule,
    count_limit,
    instances_rule,
    preferences_rules,
    runtime_limit,
    volume_limit,
    volume_rule,
)
from pipelines.steptypes.limits import GUIDE, Rule, ValueLimit, Violations, number, objects
from pipelines.steptypes.places import value_at
from pipelines.steptypes.steptype import Cluster, DataPlace

LOG_GROUP: Final = "/aws/sagemaker/TrainingJobs"
USAGE: Final = "training job"
_FILE_SYSTEM: Final = "DataSource.FileSystemDataSource"
_FLEXIBLE: Final = "HyperParameterTuningResourceConfig"
"""Instead of `ResourceConfig` in the jobs of a tuning job."""


def inputs(job: str = "") -> DataPlace:
    """Return the channels of a job whose request stands at a place."""
    return DataPlace(
        at=_in(job, "InputDataConfig.*"),
        named_by="ChannelName",
        uri="DataSource.S3DataSource.S3Uri",
        file_system=_FILE_SYSTEM,
    )


def clusters(
    job: str = "", parallel: str | None = None, total: str | None = None
) -> tuple[Cluster, ...]:
    """Return the instances of a job whose request stands at a place: all alike, or in groups."""
    alike = ("ResourceConfig", "ResourceConfig.InstanceGroups.*")
    places = (*alike, _FLEXIBLE) if job else alike
    return tuple(
        Cluster(
            usage=USAGE,
            job=job,
            at=at,
            volume=f"{at.partition('.')[0]}.VolumeSizeInGB",
            runtime="StoppingCondition.MaxRuntimeInSeconds",
            parallel=parallel,
            total=total,
            spot="EnableManagedSpotTraining",
            kept="ResourceConfig.KeepAlivePeriodInSeconds",
        )
        for at in places
    )


def event_files(described: JsonObject) -> str | None:
    """Return where the event files of a job are; None where it keeps none, or is not known yet.

    Source: FACTS 12.20, not verified.
    """
    name = described.get("TrainingJobName")
    uri = value_at(described, "TensorBoardOutputConfig.S3OutputPath")
    known = isinstance(name, str) and isinstance(uri, str)
    return f"{uri.rstrip('/')}/{name}/tensorboard-output/" if known else None


def rules(*jobs: str) -> tuple[Rule, ...]:
    """Return the rules of jobs whose requests stand at these places."""
    return (
        Rule(
            at=jobs,
            violations=_spot_waits,
            help="write a `MaxWaitTimeInSeconds` of at least `MaxRuntimeInSeconds`",
            source=f"{GUIDE}managed spot training",
        ),
        Rule(
            at=jobs,
            violations=_only_spot_waits,
            help="remove `MaxWaitTimeInSeconds`, or set `EnableManagedSpotTraining` to true",
            source="aws/sagemaker-python-sdk issue 4140, quoting the service",
        ),
        *_channel_rules(jobs),
        Rule(
            at=jobs,
            violations=_warm_pool_is_alone,
            help="remove `KeepAlivePeriodInSeconds`",
            source=f"{GUIDE}warm pools",
        ),
        Rule(
            at=jobs,
            violations=_preferences_are_on_demand,
            help="name one instance type, or train on demand",
            source="CreateTrainingJob API",
        ),
        Rule(
            at=tuple(_in(job, "ResourceConfig") for job in jobs),
            violations=_planned_one_way,
            help="remove it, or the `TrainingPlanArns` of the entries",
            source="API, InstancePreference",
        ),
        *preferences_rules(
            *(_in(job, "ResourceConfig") for job in jobs),
            excluded=("InstanceType", "InstanceGroups", "InstancePlacementConfig"),
        ),
        volume_rule(*(at for job in jobs for at in _resources(job))),
        instances_rule(*(at for job in jobs for at in _resources(job))),
        arguments_rule(*(_in(job, "AlgorithmSpecification") for job in jobs)),
    )


def limits(*jobs: str) -> tuple[ValueLimit, ...]:
    """Return the limits of numbers in jobs whose requests stand at these places."""
    sized = [at for job in jobs for at in (*_resources(job), *_flexible(job))]
    shared = ("ResourceConfig.InstanceGroups.*", "ResourceConfig.InstancePreferences.*")
    counted = [*sized, *(_in(job, at) for job in jobs for at in shared)]
    runtime = tuple(_in(job, "StoppingCondition.MaxRuntimeInSeconds") for job in jobs)
    return (
        count_limit(*(f"{at}.InstanceCount" for at in counted)),
        volume_limit(*(f"{at}.VolumeSizeInGB" for at in sized)),
        runtime_limit(*runtime),
        ValueLimit(
            at=runtime,
            most=2_419_200,
            what="a training job lasts at most 28 days (2419200 s)",
            source="CreateTrainingJob API",
        ),
        ValueLimit(
            at=tuple(_in(job, "ResourceConfig.KeepAlivePeriodInSeconds") for job in jobs),
            most=3600,
            what="the guide knows warm pools of at most an hour (3600 s)",
            source=f"{GUIDE}warm pools",
            quota=True,
        ),
    )


def _channel_rules(jobs: tuple[str, ...]) -> tuple[Rule, ...]:
    return (
        Rule(
            at=jobs,
            violations=_gzip_is_piped,
            help="use input mode `Pipe`, or leave the channel uncompressed",
            source="CreateTrainingJob API",
        ),
        Rule(
            at=jobs,
            violations=_records_are_piped,
            help="use input mode `Pipe`, or set `RecordWrapperType` to None",
            source="CreateTrainingJob API",
        ),
        Rule(
            at=jobs,
            violations=_channels_have_names_of_their_own,
            help="give each channel a name of its own: it is a folder of the job",
            source=f"{GUIDE}access training data",
        ),
        Rule(
            at=jobs,
            violations=_fast_file_reads_prefixes,
            help="use `S3Prefix`, or input mode `File`",
            source=f"{GUIDE}access training data",
        ),
        Rule(
            at=jobs,
            violations=_file_systems_are_reached,
            help="give `VpcConfig`",
            source=f"{GUIDE}access training data",
        ),
        Rule(
            at=jobs,
            violations=_file_systems_are_folders,
            help="use input mode `File`, and files as they are",
            source=f"{GUIDE}access training data",
        ),
    )


def _resources(job: str) -> tuple[str, ...]:
    """Return where the instances of a job stand."""
    return (f"{job}.ResourceConfig", f"{job}.{_FLEXIBLE}") if job else ("ResourceConfig",)


def _flexible(job: str) -> tuple[str, ...]:
    """Return where each choice of instances of a job stands, number and volume with it."""
    return (f"{job}.{_FLEXIBLE}.InstanceConfigs.*",) if job else ()


def _in(job: str, place: str) -> str:
    return f"{job}.{place}" if job else place


def _channels(job: JsonObject) -> Iterator[tuple[Path, JsonObject, Json]]:
    """Yield a job's channels: path, channel, the input mode that holds for it."""
    whole = value_at(job, "AlgorithmSpecification.TrainingInputMode")
    for index, channel in objects(job.get("InputDataConfig")):
        yield ("InputDataConfig", index), channel, channel.get("InputMode") or whole


def _spot_waits(job: JsonObject) -> Violations:
    """Managed spot training needs a wait of at least the longest run."""
    if job.get("EnableManagedSpotTraining") is not True:
        return
    wait = value_at(job, "StoppingCondition.MaxWaitTimeInSeconds")
    if wait is None:
        yield (
            ("EnableManagedSpotTraining",),
            "managed spot training without `MaxWaitTimeInSeconds`",
        )
    known, longest = number(wait), number(value_at(job, "StoppingCondition.MaxRuntimeInSeconds"))
    if known is not None and longest is not None and known < longest:
        yield (
            ("StoppingCondition", "MaxWaitTimeInSeconds"),
            f"`MaxWaitTimeInSeconds` is {known}, less than `MaxRuntimeInSeconds` {longest}",
        )


def _only_spot_waits(job: JsonObject) -> Violations:
    """A wait for capacity belongs to managed spot training alone (FACTS 12.7)."""
    wait = value_at(job, "StoppingCondition.MaxWaitTimeInSeconds")
    if wait is not None and job.get("EnableManagedSpotTraining") in (None, False):
        place = ("StoppingCondition", "MaxWaitTimeInSeconds")
        yield place, "`MaxWaitTimeInSeconds` without managed spot training"


def _warm_pool_is_alone(job: JsonObject) -> Violations:
    """A warm pool is kept neither for spot instances nor for instance groups."""
    if number(value_at(job, "ResourceConfig.KeepAlivePeriodInSeconds")) is None:
        return
    place = ("ResourceConfig", "KeepAlivePeriodInSeconds")
    if job.get("EnableManagedSpotTraining") is True:
        yield place, "a warm pool cannot be kept for managed spot training"
    if value_at(job, "ResourceConfig.InstanceGroups"):
        yield place, "a warm pool cannot be kept for instance groups"


def _preferences_are_on_demand(job: JsonObject) -> Violations:
    """The service takes the first type with capacity on demand, or of a training plan alone."""
    place = ("ResourceConfig", "InstancePreferences")
    if value_at(job, ".".join(place)) and job.get("EnableManagedSpotTraining") is True:
        yield place, "several instance types cannot be used with managed spot training"


def _planned_one_way(resources: JsonObject) -> Violations:
    """A training plan is that of the job, or of each type by itself."""
    entries = objects(resources.get("InstancePreferences"))
    own = any(entry.get("TrainingPlanArns") for _, entry in entries)
    if own and resources.get("TrainingPlanArn") is not None:
        message = "`TrainingPlanArn` cannot be given beside entries that have their own"
        yield ("TrainingPlanArn",), message


def _gzip_is_piped(job: JsonObject) -> Violations:
    """Compressed channels are read in input mode Pipe only."""
    for path, channel, mode in _channels(job):
        if value_at(channel, _FILE_SYSTEM) is not None:
            continue  # `_file_systems_are_folders` says so
        if channel.get("CompressionType") == "Gzip" and mode in ("File", "FastFile"):
            place = (*path, "CompressionType")
            yield place, f"`Gzip` cannot be read in input mode `{mode}`"


def _records_are_piped(job: JsonObject) -> Violations:
    """Objects are wrapped in records on their way into a pipe only."""
    for path, channel, mode in _channels(job):
        if channel.get("RecordWrapperType") == "RecordIO" and mode in ("File", "FastFile"):
            place = (*path, "RecordWrapperType")
            yield place, f"objects are not wrapped in `RecordIO` in input mode `{mode}`"


def _channels_have_names_of_their_own(job: JsonObject) -> Violations:
    """Each channel is the folder /opt/ml/input/data/<name>."""
    seen = set[str]()
    for path, channel, _ in _channels(job):
        name = channel.get("ChannelName")
        if isinstance(name, str) and name in seen:
            yield (*path, "ChannelName"), f"two channels are named `{name}`"
        elif isinstance(name, str):
            seen.add(name)


def _fast_file_reads_prefixes(job: JsonObject) -> Violations:
    """Input mode FastFile reads S3 prefixes only."""
    for path, channel, mode in _channels(job):
        keys = ("DataSource", "S3DataSource", "S3DataType")
        kind = value_at(channel, ".".join(keys))
        if mode == "FastFile" and kind in ("ManifestFile", "AugmentedManifestFile"):
            yield (*path, *keys), f"input mode `FastFile` cannot read a `{kind}`"


def _file_systems_are_reached(job: JsonObject) -> Violations:
    """EFS and FSx need a VPC."""
    for path, channel, _ in _channels(job):
        if value_at(channel, _FILE_SYSTEM) is not None and not job.get("VpcConfig"):
            yield path, "a file system cannot be reached without `VpcConfig`"


def _file_systems_are_folders(job: JsonObject) -> Violations:
    """EFS and FSx are mounted, which is input mode File, and decompresses nothing."""
    for path, channel, mode in _channels(job):
        if value_at(channel, _FILE_SYSTEM) is None:
            continue
        if mode in ("Pipe", "FastFile"):
            place = (*path, "InputMode") if "InputMode" in channel else path
            yield place, f"a file system cannot be read in input mode `{mode}`"
        if channel.get("CompressionType") == "Gzip":
            yield (*path, "CompressionType"), "`Gzip` is for objects, and this is a file system"
