"""What holds for the instances of any job: default quotas, and keys of volumes."""

from __future__ import annotations

from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.limits import (
    GENERAL_REFERENCE,
    Rule,
    ValueLimit,
    Violations,
    number,
    objects,
)

_LOCAL_STORAGE = frozenset({"p4d", "p4de", "p5", "g4dn", "g5"})
_DAYS_5 = 432_000
_CHOICES = ("InstancePreferences", "InstanceConfigs", "InstancePools")
"""Lists of which one entry is taken: the first whose type has capacity."""

_LISTED = ("InstanceGroups", *_CHOICES)
"""What may stand in place of one number of instances."""


def choices(asked: Json) -> tuple[JsonObject, ...]:
    """Return what instances may be taken for what asks for some, the first choice first.

    Args:
        asked: what holds type and count, or a list of such.
    """
    if not isinstance(asked, dict):
        return ()
    for listed in _CHOICES:
        entries = objects(asked.get(listed))
        if entries:
            shared = {key: value for key, value in asked.items() if key != listed}
            return tuple({**shared, **entry} for _, entry in entries)
    return (asked,)


def count_limit(*at: str) -> ValueLimit:
    """Return the limit of numbers of instances, which stand at these places."""
    return ValueLimit(
        at=at,
        most=4,
        what="an account starts with 4 instances for all its jobs of a kind",
        source=GENERAL_REFERENCE,
        quota=True,
    )


def volume_limit(*at: str) -> ValueLimit:
    """Return the limit of sizes of volumes, which stand at these places."""
    return ValueLimit(
        at=at,
        most=1024,
        what="an account starts with volumes of 1024 GB",
        source=GENERAL_REFERENCE,
        quota=True,
    )


def volume_rule(*at: str) -> Rule:
    """Return the rule of keys of volumes, whose instances stand at these places."""
    return Rule(
        at=at,
        violations=_local_storage_takes_no_key,
        help="remove `VolumeKmsKeyId`, or use another instance type",
        source="CreateTrainingJob API",
    )


def instances_rule(*at: str) -> Rule:
    """Return the rule of training clusters, which stand at these places."""
    return Rule(
        at=at,
        violations=_something_runs,
        help="write at least 1",
        source="CreateTrainingJob API",
    )


def arguments_rule(*at: str) -> Rule:
    """Return the rule of containers that take arguments, which stand at these places."""
    return Rule(
        at=at,
        violations=_arguments_are_texts,
        help="leave the argument out, or write a word that stands for nothing, such as `none`",
        source="the service refuses null and empty ContainerArguments",
    )


JOB_RUNTIME = ValueLimit(
    at=("StoppingCondition.MaxRuntimeInSeconds",),
    most=_DAYS_5,
    what=f"an account starts with 5 days ({_DAYS_5} s) for a job",
    source=GENERAL_REFERENCE,
    quota=True,
)
"""How long training and processing jobs last, as long as nobody has that raised."""


def _local_storage_takes_no_key(resources: JsonObject) -> Violations:
    instance = resources.get("InstanceType")
    if not isinstance(instance, str) or resources.get("VolumeKmsKeyId") is None:
        return
    if instance.removeprefix("ml.").split(".")[0] in _LOCAL_STORAGE:
        yield ("VolumeKmsKeyId",), f"`{instance}` has local storage, which takes no key"


def _something_runs(resources: JsonObject) -> Violations:
    """A cluster without instances runs nothing, though the API's shape takes 0 (FACTS 2.2)."""
    if (
        not any(resources.get(listed) for listed in _LISTED)
        and number(resources.get("InstanceCount")) == 0
    ):
        yield ("InstanceCount",), "`InstanceCount` is 0: nothing would run"
    for listed in _LISTED:
        for index, entry in objects(resources.get(listed)):
            if number(entry.get("InstanceCount")) == 0:
                yield (listed, index, "InstanceCount"), "`InstanceCount` is 0: nothing would run"


def _arguments_are_texts(container: JsonObject) -> Violations:
    """The service refuses null and empty arguments (FACTS 12.5)."""
    listed = container.get("ContainerArguments")
    for index, argument in enumerate(listed if isinstance(listed, list) else ()):
        if not argument and isinstance(argument, str):
            yield ("ContainerArguments", index), "an argument of `ContainerArguments` is empty"
