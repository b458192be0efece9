"""CreateHyperParameterTuningJob's request → what a tuning job does, and requests of its jobs."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

from pipelines.backends.local.jobs.capacity import Taken, take
from pipelines.backends.local.jobs.kind import CONTINUES
from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.backends.local.jobs.tuning.ranges import Space, read_ranges
from pipelines.backends.local.settings import LocalSettings
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.places import value_at
from pipelines.steptypes.tuning_job import (
    CONFIG,
    OBJECTIVE,
    epochs_of,
    grid_size,
    whole_number,
)

Strategy: TypeAlias = Literal["Bayesian", "Random", "Grid", "Hyperband"]

_IDENTICAL: Final = "IdenticalDataAndAlgorithm"
_FLEXIBLE: Final = "HyperParameterTuningResourceConfig"
_STRATEGY: Final = "AllocationStrategy"
_OF_TUNING: Final = (
    "DefinitionName",
    "HyperParameterRanges",
    _FLEXIBLE,
    "StaticHyperParameters",
    "TuningObjective",
)
"""Members of a definition that its training jobs' requests do not have."""


@frozen
class JobDefinition:
    """What training jobs of a tuning job have in common.

    Args:
        request: the definition.
        space: what is searched.
        metric: the objective's name.
        maximize: whether it is to be great.
    """

    request: JsonObject
    space: Space
    metric: str
    maximize: bool

    @property
    def name(self) -> str | None:
        """What the request calls it."""
        return self.request.get("DefinitionName")

    @property
    def expression(self) -> str | None:
        """The regular expression of the objective; None where the request defines none."""
        defined = self.request["AlgorithmSpecification"].get("MetricDefinitions") or ()
        return next((one["Regex"] for one in defined if one["Name"] == self.metric), None)

    def instances(self, settings: LocalSettings) -> Taken:
        """Take instances for a training job: of several, the first that have capacity.

        Raises:
            NoCapacityError: there is no capacity for any.
        """
        asked = self.request.get(_FLEXIBLE) or self.request.get("ResourceConfig") or {}
        return take(asked, "InstanceType", settings)

    def training_request(
        self, name: str, tuned: Mapping[str, str], settings: LocalSettings
    ) -> JsonObject:
        """Return the request of one training job.

        Raises:
            NoCapacityError: there is no capacity for it.
        """
        request = {key: value for key, value in self.request.items() if key not in _OF_TUNING}
        if self.request.get(_FLEXIBLE):
            own = {"InstanceCount": 1, "VolumeSizeInGB": 30, **self.instances(settings).instances}
            request["ResourceConfig"] = {k: v for k, v in own.items() if k != _STRATEGY}
        checkpoints = request.get("CheckpointConfig")
        if checkpoints:  # one trial must not go on with what another has saved
            place = f"{checkpoints['S3Uri'].rstrip('/')}/{name}"
            request["CheckpointConfig"] = {**checkpoints, "S3Uri": place}
        static = self.request.get("StaticHyperParameters") or {}
        request["HyperParameters"] = {OBJECTIVE: self.metric, **static, **tuned}
        return request


@frozen
class TuningPlan:
    """What a tuning job does.

    Args:
        definitions: of its training jobs; they take turns.
        strategy: how hyperparameters are chosen.
        most: how many training jobs there are at most; None for no limit.
        parallel: how many of them run at once.
        seconds: how long it may take; None for no limit.
        stops_early: whether unpromising training jobs are stopped.
        epochs: Hyperband's least and greatest number of values.
        target: the value of the objective at which it ends.
        patience: after how many training jobs that are no better it ends.
        ends_on_convergence: whether the service would end it when it sees no more progress.
        parents: the tuning jobs whose results it begins with.
        is_identical: whether these searched the same as this one.
        seed: of whatever is chosen at random.
    """

    definitions: tuple[JobDefinition, ...]
    strategy: Strategy
    most: int | None
    parallel: int
    seconds: float | None
    stops_early: bool
    epochs: tuple[int, int] | None
    target: float | None
    patience: int | None
    ends_on_convergence: bool
    parents: tuple[str, ...]
    is_identical: bool
    seed: int

    @property
    def has_end(self) -> bool:
        """Whether the search ends by itself, however its training jobs do."""
        return any(one is not None for one in (self.most, self.seconds, self.target, self.patience))

    def reaches(self, value: float) -> bool:
        """Return whether a value of the objective is the target or better."""
        if self.target is None:
            return False
        maximize = self.definitions[0].maximize
        return value >= self.target if maximize else value <= self.target


def read_plan(request: JsonObject, name: str) -> TuningPlan:
    """Read a request, which has been checked.

    Args:
        request: the request.
        name: the tuning job's; the seed follows from it where none is given: all attempts at a
            step of one execution have the seed of the first.

    Raises:
        JobRefusedError: it cannot be carried out on this machine.
    """
    config, limits = request.get(CONFIG) or {}, value_at(request, f"{CONFIG}.ResourceLimits") or {}
    if request.get("Autotune"):
        raise JobRefusedError(
            "Autotune is the service's own", "leave `Autotune` out for a local run"
        )
    definitions = tuple(_definitions(request, config))
    strategy: Strategy = config["Strategy"]
    criteria = config.get("TuningJobCompletionCriteria") or {}
    most = limits.get("MaxNumberOfTrainingJobs")
    seed = config.get("RandomSeed")
    first = str((request.get(CONTINUES) or [name])[0])
    parents = value_at(request, "WarmStartConfig.ParentHyperParameterTuningJobs") or ()
    plan = TuningPlan(
        definitions=definitions,
        strategy=strategy,
        most=most or (grid_size(request) if strategy == "Grid" else None),
        parallel=int(limits.get("MaxParallelTrainingJobs") or 1),
        seconds=limits.get("MaxRuntimeInSeconds"),
        stops_early=config.get("TrainingJobEarlyStoppingType") == "Auto",
        epochs=_epochs(config, definitions) if strategy == "Hyperband" else None,
        target=criteria.get("TargetObjectiveMetricValue"),
        patience=value_at(
            criteria, "BestObjectiveNotImproving.MaxNumberOfTrainingJobsNotImproving"
        ),
        ends_on_convergence=value_at(criteria, "ConvergenceDetected.CompleteOnConvergence")
        == "Enabled",
        parents=tuple(dict.fromkeys(one["HyperParameterTuningJobName"] for one in parents)),
        is_identical=value_at(request, "WarmStartConfig.WarmStartType") == _IDENTICAL,
        seed=zlib.crc32(first.encode()) if seed is None else int(seed),
    )
    if not plan.has_end:
        raise JobRefusedError(
            "the search would never end",
            "give `MaxNumberOfTrainingJobs`, `MaxRuntimeInSeconds` or a completion criterion",
        )
    return plan


def definitions_of(request: JsonObject) -> Iterator[tuple[JsonObject, Json]]:
    """Yield each definition of training jobs, with its objective."""
    shared = value_at(request, f"{CONFIG}.HyperParameterTuningJobObjective")
    alone = request.get("TrainingJobDefinition")
    for one in (alone,) if alone else request.get("TrainingJobDefinitions") or ():
        yield one, one.get("TuningObjective") or shared


def _definitions(request: JsonObject, config: JsonObject) -> Iterator[JobDefinition]:
    for one, objective in definitions_of(request):
        if objective is None:
            raise JobRefusedError("the tuning job names no objective", "name a metric")
        space = read_ranges(one.get("HyperParameterRanges") or config.get("ParameterRanges"))
        maximize = objective["Type"] == "Maximize"
        yield JobDefinition(one, space, objective["MetricName"], maximize)


def _epochs(config: JsonObject, definitions: tuple[JobDefinition, ...]) -> tuple[int, int]:
    """Return Hyperband's bounds; the greatest follows from a hyperparameter where it is missing."""
    given = value_at(config, "StrategyConfig.HyperbandStrategyConfig") or {}
    named = (epochs_of(one.request) for one in definitions)
    inferred = next((whole_number(one[1]) for one in named if one is not None), None)
    most = given.get("MaxResource") or inferred
    if most is None:
        raise JobRefusedError(
            "Hyperband knows no greatest number of epochs", "give MaxResource, or `epochs`"
        )
    return min(int(given.get("MinResource") or 1), int(most)), int(most)
