"""Limits of the service that its API shapes do not hold.

Two tables: `VALUE_LIMITS` bound one number, `RULES` compare several members. Each row names its
source; a hard limit is an error, an account's default quota a warning. A value that is a
reference is not known yet and passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import rules

GENERAL_REFERENCE: Final = "AWS General Reference, SageMaker quotas"
_GUIDE: Final = "SageMaker developer guide, "


@frozen
class LimitProblem:
    """One value beyond a limit; the path leads from the arguments down to it."""

    path: Path
    message: str
    help: str
    quota: bool = False


@frozen
class Place:
    """Where a limit holds: step Types, and a dotted member, `*` for every entry of a list."""

    types: tuple[str, ...]
    where: str


@frozen
class ValueLimit:
    """A number that may not be greater.

    Args:
        at: where the number stands.
        most: the greatest number allowed.
        what: the limit in words.
        source: where it is written down.
        quota: whether an account can have it raised: then exceeding it is a warning.
    """

    at: tuple[Place, ...]
    most: int
    what: str
    source: str
    quota: bool = False


@frozen
class Rule:
    """A condition between members of one structure.

    Args:
        at: where the structure stands; an empty member is the arguments themselves.
        broken: the condition, out of `pipelines.steptypes.rules`.
        help: what to write instead.
        source: where it is written down.
    """

    at: tuple[Place, ...]
    broken: Callable[[JsonObject], rules.Broken]
    help: str
    source: str


_CHECKS: Final = ("Processing", "QualityCheck", "ClarifyCheck")
_JOB: Final = (
    Place(("Training",), ""),
    Place(("Tuning",), "TrainingJobDefinition"),
    Place(("Tuning",), "TrainingJobDefinitions.*"),
)
_RESOURCES: Final = (
    Place(("Training",), "ResourceConfig"),
    Place(("Tuning",), "TrainingJobDefinition.ResourceConfig"),
    Place(("Tuning",), "TrainingJobDefinitions.*.ResourceConfig"),
    Place(_CHECKS, "ProcessingResources.ClusterConfig"),
    Place(("Transform",), "TransformResources"),
)
_SERVERLESS: Final = (Place(("EndpointConfig",), "ProductionVariants.*.ServerlessConfig"),)


def _below(places_above: tuple[Place, ...], member: str) -> tuple[Place, ...]:
    return tuple(Place(place.types, f"{place.where}.{member}") for place in places_above)


VALUE_LIMITS: Final = (
    ValueLimit(
        at=_below(_RESOURCES, "InstanceCount"),
        most=4,
        what="an account starts with 4 instances for all its jobs of a kind",
        source=GENERAL_REFERENCE,
        quota=True,
    ),
    ValueLimit(
        at=_below(_RESOURCES, "VolumeSizeInGB"),
        most=1024,
        what="an account starts with volumes of 1024 GB",
        source=GENERAL_REFERENCE,
        quota=True,
    ),
    ValueLimit(
        at=(Place(("Training", *_CHECKS), "StoppingCondition.MaxRuntimeInSeconds"),),
        most=432_000,
        what="an account starts with 5 days (432000 s) for a job",
        source=GENERAL_REFERENCE,
        quota=True,
    ),
    ValueLimit(
        at=(Place(("Training",), "StoppingCondition.MaxRuntimeInSeconds"),),
        most=2_419_200,
        what="a training job lasts at most 28 days (2419200 s)",
        source="CreateTrainingJob API",
    ),
    ValueLimit(
        at=(Place(("Training",), "ResourceConfig.KeepAlivePeriodInSeconds"),),
        most=3600,
        what="the guide knows warm pools of at most an hour (3600 s)",
        source=f"{_GUIDE}warm pools",
        quota=True,
    ),
    ValueLimit(
        at=(Place(("Transform",), "MaxPayloadInMB"),),
        most=rules.PAYLOAD_MB,
        what="a payload has at most 100 MB",
        source="CreateTransformJob API",
    ),
    ValueLimit(
        at=_below(_SERVERLESS, "MaxConcurrency"),
        most=10,
        what="an account starts with 10 concurrent serverless invocations",
        source=GENERAL_REFERENCE,
        quota=True,
    ),
    ValueLimit(
        at=(Place(("EndpointConfig",), "ProductionVariants.*.InitialInstanceCount"),),
        most=4,
        what="an account starts with 4 endpoint instances",
        source=GENERAL_REFERENCE,
        quota=True,
    ),
)

RULES: Final = (
    Rule(
        at=_JOB,
        broken=rules.spot_waits,
        help="write a `MaxWaitTimeInSeconds` of at least `MaxRuntimeInSeconds`",
        source=f"{_GUIDE}managed spot training",
    ),
    Rule(
        at=_JOB,
        broken=rules.gzip_is_piped,
        help="use input mode `Pipe`, or leave the channel uncompressed",
        source="CreateTrainingJob API",
    ),
    Rule(
        at=_JOB,
        broken=rules.fast_file_reads_prefixes,
        help="use `S3Prefix`, or input mode `File`",
        source=f"{_GUIDE}access training data",
    ),
    Rule(
        at=_JOB,
        broken=rules.file_systems_are_reached,
        help="give `VpcConfig`, and input mode `File`",
        source=f"{_GUIDE}access training data",
    ),
    Rule(
        at=(
            Place(_CHECKS, "ProcessingInputs.*"),
            Place(_CHECKS, "ProcessingOutputConfig.Outputs.*"),
        ),
        broken=rules.local_path_is_given,
        help="name a folder below /opt/ml/processing; only `AppManaged` ones have none",
        source="CreateProcessingJob API",
    ),
    Rule(
        at=_JOB,
        broken=rules.warm_pool_is_alone,
        help="leave `KeepAlivePeriodInSeconds` away",
        source=f"{_GUIDE}warm pools",
    ),
    Rule(
        at=_RESOURCES,
        broken=rules.local_storage_takes_no_key,
        help="leave `VolumeKmsKeyId` away, or use another instance type",
        source="CreateTrainingJob API",
    ),
    Rule(
        at=(Place(("Transform",), ""),),
        broken=rules.payload_fits,
        help="keep `MaxPayloadInMB` times `MaxConcurrentTransforms` within 100",
        source="CreateTransformJob API",
    ),
    Rule(
        at=_SERVERLESS,
        broken=rules.memory_is_whole,
        help="write 1024, 2048, 3072, 4096, 5120 or 6144",
        source=f"{_GUIDE}serverless endpoints",
    ),
    Rule(
        at=_SERVERLESS,
        broken=rules.provisioned_fits,
        help="keep it within `MaxConcurrency`",
        source=f"{_GUIDE}serverless endpoints",
    ),
    Rule(
        at=(Place(("EndpointConfig",), ""),),
        broken=rules.serverless_is_alone,
        help="leave it away, or use instances",
        source=f"{_GUIDE}serverless endpoints",
    ),
)


def check_limits(type_name: str, arguments: Json) -> Iterator[LimitProblem]:
    """Yield every limit that the arguments of a step of that Type exceed."""
    for limit in VALUE_LIMITS:
        for path, value in _found(limit.at, type_name, arguments):
            figure = rules.number(value)
            if figure is not None and figure > limit.most:
                raised = ", or have the quota raised" if limit.quota else ""
                remedy = f"write at most {limit.most}{raised} ({limit.source})"
                message = f"`{path[-1]}` is {value}, but {limit.what}"
                yield LimitProblem(path, message, remedy, limit.quota)
    for rule in RULES:
        for path, value in _found(rule.at, type_name, arguments):
            if isinstance(value, dict):
                for below, message in rule.broken(value):
                    yield LimitProblem((*path, *below), message, f"{rule.help} ({rule.source})")


def _found(at: tuple[Place, ...], type_name: str, arguments: Json) -> Iterator[tuple[Path, Json]]:
    for place in at:
        if type_name in place.types:
            yield from below(arguments, place.where)


def below(value: Json, where: str) -> Iterator[tuple[Path, Json]]:
    """Yield what stands at a dotted place, `*` for every entry of a list, with its path."""
    yield from _descend(value, where.split(".") if where else [])


def _descend(value: Json, parts: list[str]) -> Iterator[tuple[Path, Json]]:
    if not parts:
        yield (), value
        return
    for key, inner in _entries(value, parts[0]):
        for path, found in _descend(inner, parts[1:]):
            yield (key, *path), found


def _entries(value: Json, part: str) -> list[tuple[str | int, Json]]:
    if part == "*":
        return list(enumerate(value)) if isinstance(value, list) else []
    return [(part, value[part])] if isinstance(value, dict) and part in value else []
