"""What holds for the instances of any job: default quotas, and keys of volumes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from pipelines.diagnostics.sentences import quoted
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.limits import (
    GENERAL_REFERENCE,
    Rule,
    ValueLimit,
    Violations,
    number,
    objects,
)

_LOCAL_STORAGE = (
    r"g4dn|g5|g6|g6e|gr6|g7|g7e|p3dn|p4d|p4de|p5|p5e|p5en|p6-b200|p6-b300|p6e-gb200|dl1"
    r"|trn1|trn1n|trn2|[cmr][0-9]+g?d"
)
"""Families with instance store volumes (EC2's DescribeInstanceTypes; AWS's pages of the others)."""

_DAYS_5 = 432_000
_PREFERENCES = "InstancePreferences"
_CHOICES = (_PREFERENCES, "InstanceConfigs", "InstancePools")
"""Lists of which one entry is taken: the first whose type has capacity."""

_GROUPS, _VARIANTS = "InstanceGroups", "ProductionVariants"
_LISTED = (_GROUPS, *_CHOICES)
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


def has_local_storage(instance_type: str) -> bool:
    """Return whether an instance has storage of its own, which it encrypts by itself."""
    family = instance_type.removeprefix("ml.").partition(".")[0]
    return re.fullmatch(_LOCAL_STORAGE, family) is not None


def takes_volume_key(types: Iterable[Json]) -> bool:
    """Return whether instances have volumes that take a key; a reference may name such ones."""
    return any(not isinstance(one, str) or not has_local_storage(one) for one in types)


def volume_rule(*at: str, member: str = "VolumeKmsKeyId") -> Rule:
    """Return the rule of keys of volumes, which stand at these places beside their instances."""
    return Rule(
        at=at,
        violations=partial(_local_storage_takes_no_key, member=member),
        help=f"remove `{member}`, or use another instance type",
        source="EC2 user guide, instance store volumes",
    )


def instances_rule(*at: str) -> Rule:
    """Return the rule of training clusters, which stand at these places."""
    return Rule(
        at=at,
        violations=_something_runs,
        help="write at least 1",
        source="CreateTrainingJob API",
    )


def preferences_rules(*at: str, excluded: tuple[str, ...]) -> tuple[Rule, ...]:
    """Return the rules of clusters that may run on several types, which stand at these places.

    Args:
        at: the places.
        excluded: the members that cannot stand beside a list of types.
    """
    source = "API, InstancePreference"
    types_alone = "each type stands in `InstancePreferences`, once: remove this one"
    counted_once = "write `InstanceCount` in every entry, or once beside them"
    return (
        Rule(at, partial(_preferences_are_alone, excluded=excluded), types_alone, source),
        Rule(at, _counted_one_way, counted_once, source),
        Rule(at, _nothing_is_selected, "remove it", source),
    )


def arguments_rule(*at: str) -> Rule:
    """Return the rule of containers that take arguments, which stand at these places."""
    return Rule(
        at=at,
        violations=_arguments_are_texts,
        help="leave the argument out, or write a word that stands for nothing, such as `none`",
        source="the service refuses null and empty ContainerArguments",
    )


def runtime_limit(*at: str) -> ValueLimit:
    """Return the limit of how long training and processing jobs last, which stands there."""
    return ValueLimit(
        at=at,
        most=_DAYS_5,
        what=f"an account starts with 5 days ({_DAYS_5} s) for a job",
        source=GENERAL_REFERENCE,
        quota=True,
    )


def _local_storage_takes_no_key(resources: JsonObject, member: str) -> Violations:
    if resources.get(member) is None:
        return
    entries = (*objects(resources.get(_GROUPS)), *objects(resources.get(_VARIANTS)))
    asked = [one for _, entry in entries for one in choices(entry)] or choices(resources)
    types = (one.get("InstanceType") for one in asked)
    local = dict.fromkeys(t for t in types if isinstance(t, str) and has_local_storage(t))
    if local:
        has = "have" if len(local) > 1 else "has"
        yield (member,), f"{quoted(local, 'and')} {has} local storage, which takes no key"


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


def _preferences_are_alone(resources: JsonObject, excluded: tuple[str, ...]) -> Violations:
    preferences = objects(resources.get(_PREFERENCES))
    for member in excluded if preferences else ():
        if resources.get(member) is not None:
            yield (member,), f"`{member}` cannot be given beside `{_PREFERENCES}`"
    types = [entry.get("InstanceType") for _, entry in preferences]
    for index, name in enumerate(types):
        if isinstance(name, str) and name in types[:index]:
            yield (_PREFERENCES, index), f"the instance type `{name}` is listed twice"


def _counted_one_way(resources: JsonObject) -> Violations:
    """The number stands on every entry or on none; then it stands beside them."""
    preferences = objects(resources.get(_PREFERENCES))
    counted = [entry.get("InstanceCount") is not None for _, entry in preferences]
    whole = resources.get("InstanceCount") is not None
    place = (_PREFERENCES,)
    if any(counted) and not all(counted):
        yield place, f"only some entries of `{_PREFERENCES}` have an `InstanceCount`"
    elif any(counted) and whole:
        message = f"`InstanceCount` stands beside `{_PREFERENCES}` that have their own"
        yield ("InstanceCount",), message
    elif preferences and not any(counted) and not whole:
        yield place, f"`InstanceCount` is missing, in the entries and beside `{_PREFERENCES}`"


def _nothing_is_selected(resources: JsonObject) -> Violations:
    for member in ("SelectedInstanceType", "SelectedInstanceCount"):
        if resources.get(member) is not None:
            yield (member,), f"`{member}` is what the service answers, and no part of a request"


def _arguments_are_texts(container: JsonObject) -> Violations:
    """The service refuses null and empty arguments (FACTS 12.5)."""
    listed = container.get("ContainerArguments")
    for index, argument in enumerate(listed if isinstance(listed, list) else ()):
        if not argument and isinstance(argument, str):
            yield ("ContainerArguments", index), "an argument of `ContainerArguments` is empty"
