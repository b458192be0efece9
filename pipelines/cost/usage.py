"""A definition → the instances that its steps ask for, and for how long at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from pipelines.definition.named import defaults_of
from pipelines.definition.steps import Step, take_apart
from pipelines.frozen import frozen
from pipelines.grammar.functions import with_parameters
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.clusters import choices, has_local_storage
from pipelines.steptypes.limits import objects
from pipelines.steptypes.places import below, value_at
from pipelines.steptypes.steptype import Cluster

COMPONENTS: Final = {"endpoint": "hosting"}
"""What the price list calls a usage of Service Quotas; another one is its name without `job`."""

_BILLED_FAULT: Final = "SageMaker.JOB_INTERNAL_ERROR"
"""What a job may end with after it has run; the other faults end a step before that."""

_MAX_ATTEMPTS: Final = 5
"""Of a policy that names no end (developer guide, retry policies)."""

_DEFAULT_RUNTIME: Final = 86_400
"""Seconds after which the service ends a job that names no end (FACTS 2.2)."""


@frozen
class Use:
    """Instances of one type that a step asks for.

    Args:
        step: the step.
        component: what is billed, as the price list has it: training, processing, …
        instance: the type; None where an execution decides it.
        count: how many, of all its jobs; None where that is not known.
        longest: the seconds after which it is ended, and its warm pool as well; None where nothing
            ends it, or it is not known.
        volume: the storage of each in GB; None where it has none of its own, or it is not known.
        is_sized: whether that is known.
        spot: whether it may run on spot capacity, at another price.
        at_once: how many of them run at the same time; None where that is not known.
        instead: what may be taken instead, where there is no capacity for these.
        attempts: how often the step may run in all, by its retry policies; None where that is not
            known.
        apart: whether no price of instances says what it costs; `component` names what is billed.
    """

    step: str
    component: str
    instance: str | None = None
    count: int | None = None
    longest: float | None = None
    volume: float | None = None
    spot: bool = False
    at_once: int | None = None
    instead: tuple[Use, ...] = ()
    attempts: int | None = 1
    apart: bool = False
    is_sized: bool = True

    @property
    def price(self) -> str | None:
        """The name of the price of an hour of one instance."""
        return None if self.instance is None else f"{self.component}/{self.instance}"

    @property
    def storage(self) -> str:
        """The name of the price of a GB for a month."""
        return f"{self.component}/storage"


def uses(definition: JsonObject, parameters: Mapping[str, Json] | None = None) -> tuple[Use, ...]:
    """Return what the jobs of a definition ask for, in the order of its steps.

    Args:
        definition: a definition, ours or anybody's.
        parameters: values of its parameters; the others have their defaults.
    """
    known = {**typed_defaults(definition), **(parameters or {})}
    steps = (step for step in take_apart(definition).steps if step.known is not None)
    return tuple(use for step in steps for use in _of_step(step, known))


def typed_defaults(definition: JsonObject) -> dict[str, Json]:
    """Return the defaults of a definition's parameters, as it has them."""
    listed = definition.get("Parameters") or ()
    names = defaults_of(definition)
    return {one["Name"]: one["DefaultValue"] for one in listed if one["Name"] in names}


def _of_step(step: Step, known: Mapping[str, Json]) -> Iterator[Use]:
    arguments = with_parameters(step.apart.get("Arguments") or {}, known)
    known_type = step.known
    if known_type is None:
        return
    if known_type.billed_for is not None:
        yield Use(step.name, known_type.billed_for, apart=True)
        return
    if not known_type.runs_jobs:
        return  # an endpoint's config runs nothing by itself
    attempts = _attempts(step.apart.get("RetryPolicies"))
    for cluster in known_type.clusters:
        for use in uses_of(step.name, cluster, arguments):
            again = replace(use, attempts=attempts)
            # The items of a loop are known only when it runs.
            yield _times_unknown(again) if step.repeats else again


def _attempts(policies: Json) -> int | None:
    """Return how often a step may run: of what is tried again, only a job's own fault is billed."""
    again = 0
    for _, policy in objects(policies):
        if _BILLED_FAULT in policy.get("ExceptionType", ()):
            most = _number(policy.get("MaxAttempts", _MAX_ATTEMPTS))
            if "ExpireAfterMin" in policy or most is None:
                return None
            again += int(most)
    return 1 + again


def uses_of(step: str, cluster: Cluster, request: JsonObject) -> Iterator[Use]:
    """Yield the instances of a cluster that a request, or a Describe response, names."""
    jobs = 1 if cluster.total is None else _number(value_at(request, cluster.total))
    parallel = jobs if cluster.parallel is None else _number(value_at(request, cluster.parallel))
    together = parallel if jobs is None or parallel is None else min(jobs, parallel)
    component = COMPONENTS.get(cluster.usage, cluster.usage.removesuffix(" job"))
    for _, job in below(request, cluster.job):
        longest = _longest(cluster, job)
        for _, asked in below(job, cluster.at):
            found = tuple(
                Use(
                    step,
                    component,
                    chosen if isinstance(chosen, str) else None,
                    None if count is None or jobs is None else int(count * jobs),
                    _with_pool(longest, asked),
                    _number(volume),
                    value_at(job, "EnableManagedSpotTraining") is True,
                    None if count is None or together is None else int(count * together),
                    is_sized=volume is None or _number(volume) is not None,
                )
                for taken in _taken(asked)
                if (chosen := value_at(taken, cluster.type)) is not None
                for count in (_number(value_at(taken, cluster.count)),)
                for volume in (_volume(cluster, job, taken),)
            )
            if found:  # else its instances stand in another place
                yield replace(found[0], instead=found[1:])


def _taken(asked: Json) -> tuple[JsonObject, ...]:
    """Return what may be taken; once something was selected, that is billed (FACTS 12.8)."""
    offered = choices(asked)
    if not offered or asked.get("SelectedInstanceType") is None:
        return offered
    given = asked.get("SelectedInstanceCount")
    count = {} if given is None else {"InstanceCount": given}
    return ({**offered[0], "InstanceType": asked["SelectedInstanceType"], **count},)


def _volume(cluster: Cluster, job: Json, taken: JsonObject) -> Json:
    """Return the storage of each instance, which a choice of several may have of its own.

    Local storage is a part of the instance, which no volume is added to (API, VolumeSizeInGB).
    """
    kind = value_at(taken, cluster.type)
    if not cluster.volume or (isinstance(kind, str) and has_local_storage(kind)):
        return None
    whole = value_at(job, cluster.volume)
    return taken.get("VolumeSizeInGB") if whole is None else whole


def _longest(cluster: Cluster, job: Json) -> float | None:
    if cluster.runtime is None:
        return None
    given = value_at(job, cluster.runtime)
    return float(_DEFAULT_RUNTIME) if given is None else _number(given)


def _with_pool(longest: float | None, asked: Json) -> float | None:
    """Add the time for which instances are kept, and billed, after the job."""
    given = value_at(asked, "KeepAlivePeriodInSeconds")
    kept = 0.0 if given is None else _number(given)
    return None if longest is None or kept is None else longest + kept


def _times_unknown(use: Use) -> Use:
    instead = tuple(map(_times_unknown, use.instead))
    return replace(use, count=None, at_once=None, instead=instead)


def _number(value: Json) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None
