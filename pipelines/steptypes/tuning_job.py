"""The limits and rules of a tuning job: its ranges, its strategy, its objective.

Sources: the developer guide's pages on automatic model tuning, and the documentation of the API's
shapes. What an account can have raised is a warning.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from pipelines.diagnostics import Path
from pipelines.diagnostics.sentences import suggestion
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.limits import GUIDE, Rule, ValueLimit, Violations, number, objects
from pipelines.steptypes.places import value_at

CONFIG: Final = "HyperParameterTuningJobConfig"
RANGES: Final = (
    "ContinuousParameterRanges",
    "IntegerParameterRanges",
    "CategoricalParameterRanges",
)
_MOST_JOBS: Final = 750
_MOST_RANGES: Final = 30
_MOST_METRICS: Final = 20
_MOST_PARAMETERS: Final = 100
_GREATEST: Final = f"{CONFIG}.StrategyConfig.HyperbandStrategyConfig.MaxResource"
_EPOCHS: Final = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
"""Static hyperparameters that Hyperband takes its `MaxResource` from (API)."""

OBJECTIVE: Final = "_tuning_objective_metric"
"""The hyperparameter by which the service tells a training job its objective."""

_LIMITS_PAGE: Final = f"{GUIDE}resource limits for automatic model tuning"


def limits() -> tuple[ValueLimit, ...]:
    """Return the limits of numbers."""
    most = f"{CONFIG}.ResourceLimits"
    hyperband = f"{CONFIG}.StrategyConfig.HyperbandStrategyConfig"
    return (
        ValueLimit(
            at=(f"{most}.MaxParallelTrainingJobs",),
            most=10,
            what="an account starts with 10 training jobs at once in a tuning job",
            source=_LIMITS_PAGE,
            quota=True,
        ),
        ValueLimit(
            at=(f"{hyperband}.MaxResource",),
            most=20_000,
            what="Hyperband trains at most 20000 epochs",
            source="HyperbandStrategyConfig API",
        ),
    )


def rules(*jobs: str) -> tuple[Rule, ...]:
    """Return the rules of a tuning job, the requests of whose training jobs stand at places."""
    api = "CreateHyperParameterTuningJob API"
    strategies = f"{GUIDE}hyperparameter tuning strategies"
    ranges = (f"{CONFIG}.ParameterRanges", *(f"{job}.HyperParameterRanges" for job in jobs))
    return (
        Rule(("",), _grid_has_categories, "use another strategy, or list values", strategies),
        Rule(("",), _grid_counts_itself, "leave it out: a grid counts itself", strategies),
        Rule(("",), _jobs_fit, "write fewer", _LIMITS_PAGE),
        Rule(("",), _hyperband_fits, "see HyperbandStrategyConfig", api),
        Rule(
            ("",),
            _hyperband_has_an_end,
            "write a hyperparameter `epochs`, or `MaxResource` (`hyperband: {max_resource: 10}`)",
            "HyperbandStrategyConfig API",
        ),
        Rule(
            ("",),
            _epochs_are_counted,
            "write a whole number, 1 or greater, or `MaxResource` as well"
            " (`hyperband: {max_resource: 10}`)",
            "HyperbandStrategyConfig API",
        ),
        Rule(("",), _definitions_stand_once, "keep one of them", api),
        Rule(("",), _something_is_searched, "name a hyperparameter and its values", api),
        Rule(("",), _something_is_judged, "name a metric, and whether to maximize it", api),
        Rule(("",), _names_are_free, "keep one of them", api),
        Rule(("",), _objective_is_measured, "name a metric that is defined", api),
        Rule(
            ranges, _bounds_are_in_order, "write numbers, the smaller one first", f"{GUIDE}ranges"
        ),
        Rule(ranges, _scaling_fits, "use another scaling, or other bounds", f"{GUIDE}ranges"),
        Rule(ranges, _ranges_are_few, "search fewer at once", _LIMITS_PAGE),
        Rule(jobs, _metrics_are_few, "define fewer", _LIMITS_PAGE),
        Rule(
            tuple(f"{job}.HyperParameterTuningResourceConfig" for job in jobs),
            _one_way_of_instances,
            "keep `InstanceConfigs`, or the others",
            "HyperParameterTuningResourceConfig API",
        ),
    )


def _strategy(request: JsonObject) -> Json:
    return value_at(request, f"{CONFIG}.Strategy")


def _definitions(request: JsonObject) -> Iterator[tuple[Path, JsonObject]]:
    """Yield the definitions of training jobs, with their paths."""
    alone = request.get("TrainingJobDefinition")
    if isinstance(alone, dict):
        yield ("TrainingJobDefinition",), alone
    for index, one in objects(request.get("TrainingJobDefinitions")):
        yield ("TrainingJobDefinitions", index), one


def _spaces(request: JsonObject) -> Iterator[tuple[Path, JsonObject]]:
    """Yield what is searched: for all training jobs, or for those of each definition."""
    whole = value_at(request, f"{CONFIG}.ParameterRanges")
    if isinstance(whole, dict):
        yield (CONFIG, "ParameterRanges"), whole
    for path, job in _definitions(request):
        own = job.get("HyperParameterRanges")
        if isinstance(own, dict):
            yield (*path, "HyperParameterRanges"), own


def _entries(space: JsonObject) -> Iterator[tuple[Path, JsonObject]]:
    for member in RANGES:
        for index, one in objects(space.get(member)):
            yield (member, index), one


def _grid_has_categories(request: JsonObject) -> Violations:
    """A grid is made of categorical values alone."""
    if _strategy(request) == "Grid":
        for path, space in _spaces(request):
            for below, one in _entries(space):
                if below[0] != "CategoricalParameterRanges":
                    message = f"strategy `Grid` cannot search the range `{one.get('Name')}`"
                    yield (*path, *below), f"{message}: it takes only categorical ones"


def _grid_counts_itself(request: JsonObject) -> Violations:
    """A number of jobs beside a grid is that of its combinations."""
    given = number(value_at(request, f"{CONFIG}.ResourceLimits.MaxNumberOfTrainingJobs"))
    count = grid_size(request) if _strategy(request) == "Grid" else None
    if given is not None and count is not None and given != count:
        place = (CONFIG, "ResourceLimits", "MaxNumberOfTrainingJobs")
        yield place, f"`MaxNumberOfTrainingJobs` is {given:g}, but the grid has {count} cells"


def grid_size(request: JsonObject) -> int | None:
    """Return how many combinations of categorical values there are; None where that is open."""
    counts = []
    for _, space in _spaces(request):
        values = [one.get("Values") for _, one in _entries(space)]
        known = [one for one in values if isinstance(one, list)]
        if len(known) != len(values) or not known:
            return None
        counts.append(math.prod(len(one) for one in known))
    return sum(counts) or None


def _jobs_fit(request: JsonObject) -> Violations:
    """At most 750 training jobs; random search may be given more, its quota raised."""
    place = (CONFIG, "ResourceLimits", "MaxNumberOfTrainingJobs")
    given = number(value_at(request, ".".join(place)))
    most = 10_000 if _strategy(request) == "Random" else _MOST_JOBS
    if given is not None and given > most:
        message = f"`MaxNumberOfTrainingJobs` is {given:g}, but strategy `{_strategy(request)}`"
        yield place, f"{message} runs at most {most} training jobs"
    if _strategy(request) == "Grid" and (grid_size(request) or 0) > _MOST_JOBS:
        path = next(path for path, _ in _spaces(request))
        yield path, f"the grid has {grid_size(request)} cells; at most {_MOST_JOBS} are tried"


def _hyperband_fits(request: JsonObject) -> Violations:
    """Hyperband stops jobs by itself, and its settings are for it alone."""
    config = request.get(CONFIG)
    if not isinstance(config, dict) or not isinstance(_strategy(request), str):
        return
    if _strategy(request) != "Hyperband":
        if config.get("StrategyConfig"):
            yield (CONFIG, "StrategyConfig"), "`StrategyConfig` is for strategy `Hyperband` alone"
        return
    if config.get("TrainingJobEarlyStoppingType") == "Auto":
        message = "strategy `Hyperband` stops jobs by itself: early stopping must be `Off`"
        yield (CONFIG, "TrainingJobEarlyStoppingType"), message
    settings = value_at(config, "StrategyConfig.HyperbandStrategyConfig")
    least, most = number(value_at(settings, "MinResource")), _greatest_resource(request)
    if least is not None and most is not None and least > most:
        place = (CONFIG, "StrategyConfig", "HyperbandStrategyConfig", "MinResource")
        yield place, f"`MinResource` is {least:g}, more than the greatest resource {most:g}"


def _hyperband_has_an_end(request: JsonObject) -> Violations:
    """Hyperband takes its greatest resource from a static hyperparameter, if it is not given."""
    if _strategy(request) != "Hyperband":
        return
    if value_at(request, _GREATEST) is not None:
        return
    for _, job in _definitions(request):
        if epochs_of(job) is None:
            message = "strategy `Hyperband` needs the number of epochs after which a job is stopped"
            yield (CONFIG, "Strategy"), message


def _epochs_are_counted(request: JsonObject) -> Violations:
    """Where the greatest resource is that of a static hyperparameter, this is a whole number."""
    if _strategy(request) != "Hyperband" or value_at(request, _GREATEST) is not None:
        return
    for path, job in _definitions(request):
        key, value = epochs_of(job) or ("", None)
        if isinstance(value, str) and whole_number(value) is None:
            place = (*path, "StaticHyperParameters", key)
            yield place, f"hyperparameter `{key}` is `{value}`, which is not a number of epochs"


def _greatest_resource(request: JsonObject) -> float | None:
    """Return after how many epochs Hyperband stops a job; None where that is not known."""
    given = value_at(request, _GREATEST)
    if given is not None:
        return number(given)
    found = (epochs_of(job) for _, job in _definitions(request))
    return next((whole_number(one[1]) for one in found if one is not None), None)


def epochs_of(job: JsonObject) -> tuple[str, Json] | None:
    """Return the static hyperparameter that Hyperband takes its greatest resource from."""
    static = job.get("StaticHyperParameters")
    if not isinstance(static, dict):
        return None
    return next(((key, static[key]) for key in _EPOCHS if key in static), None)


def whole_number(value: Json) -> int | None:
    """Return a whole number above 0, also out of a text as the SDK writes it."""
    known = number(value.strip('"') if isinstance(value, str) else value)
    return int(known) if known is not None and known >= 1 and float(known).is_integer() else None


def _definitions_stand_once(request: JsonObject) -> Violations:
    """Training jobs are of one definition, or of several, each with its own name."""
    if "TrainingJobDefinition" in request and "TrainingJobDefinitions" in request:
        message = "`TrainingJobDefinitions` cannot be given beside `TrainingJobDefinition`"
        yield ("TrainingJobDefinitions",), message


def _something_is_searched(request: JsonObject) -> Violations:
    """There are ranges, of all training jobs or of each definition; Autotune finds its own."""
    config = request.get(CONFIG)
    if not isinstance(config, dict) or value_at(request, "Autotune.Mode") == "Enabled":
        return
    shared = config.get("ParameterRanges")
    for path, job in _definitions(request):
        own = job.get("HyperParameterRanges")
        if not any(_is_searched(space) for space in (shared, own)):
            yield path, "there is nothing to search: no range of a hyperparameter is given"


def _is_searched(space: Json) -> bool:
    """Return whether there are ranges, also those that the service is to find."""
    members = (*RANGES, "AutoParameters")
    return isinstance(space, dict) and any(space.get(member) for member in members)


def _something_is_judged(request: JsonObject) -> Violations:
    """There is an objective, of all training jobs or of each definition."""
    config = request.get(CONFIG)
    if not isinstance(config, dict):
        return
    shared = config.get("HyperParameterTuningJobObjective")
    for path, job in _definitions(request):
        if not shared and not job.get("TuningObjective"):
            yield path, "no objective is given by which the training jobs are compared"


def _names_are_free(request: JsonObject) -> Violations:
    """A hyperparameter is searched or static, and all of them are at most a hundred."""
    for path, job in _definitions(request):
        static = job.get("StaticHyperParameters")
        names = static if isinstance(static, dict) else {}
        spaces = [s for at, s in _spaces(request) if at[0] == CONFIG or at[:-1] == path]
        searched = [str(one.get("Name")) for space in spaces for _, one in _entries(space)]
        for name in searched:
            if name in names:
                message = f"hyperparameter `{name}` is searched, and has a static value as well"
                yield (*path, "StaticHyperParameters", name), message
        count = len(names) + len(searched) + 1  # the service adds one of its own
        if count > _MOST_PARAMETERS:
            message = f"there are {count} hyperparameters with the service's own one"
            yield (*path, "StaticHyperParameters"), f"{message}; a job takes {_MOST_PARAMETERS}"


def _objective_is_measured(request: JsonObject) -> Violations:
    """The objective is a metric of the jobs; built-in algorithms define their own."""
    for path, job in _definitions(request):
        own = value_at(job, "TuningObjective.MetricName")
        name = own or value_at(request, f"{CONFIG}.HyperParameterTuningJobObjective.MetricName")
        defined = objects(value_at(job, "AlgorithmSpecification.MetricDefinitions"))
        known = [str(one.get("Name")) for _, one in defined]
        if isinstance(name, str) and known and name not in known:
            shared: Path = (CONFIG, "HyperParameterTuningJobObjective")
            place: Path = (*path, "TuningObjective") if own else shared
            advice = suggestion(name, known)
            yield (
                (*place, "MetricName"),
                f"no metric definition gives the objective `{name}`: {advice}",
            )


def _bounds_are_in_order(space: JsonObject) -> Violations:
    for path, one in _entries(space):
        least, most = number(one.get("MinValue")), number(one.get("MaxValue"))
        for member in ("MinValue", "MaxValue"):
            value = one.get(member)
            if isinstance(value, str) and (number(value) is None or not _suits(path[0], value)):
                kind = "whole number" if path[0] == RANGES[1] else "number"
                yield (*path, member), f"`{member}` must be a {kind}, got `{value}`"
        if least is not None and most is not None and least > most:
            yield (*path, "MinValue"), f"`MinValue` is {least:g}, above the greatest value {most:g}"


def _suits(member: str | int, value: str) -> bool:
    """Return whether the text of a bound is a number of its range's type."""
    known = number(value)
    return known is not None and (member != RANGES[1] or float(known).is_integer())


def _scaling_fits(space: JsonObject) -> Violations:
    """Logarithms are of numbers above 0; reversed ones of 0 to below 1, and of no integers."""
    for path, one in _entries(space):
        place, scaling = (*path, "ScalingType"), one.get("ScalingType")
        least, most = number(one.get("MinValue")), number(one.get("MaxValue"))
        if scaling == "Logarithmic" and least is not None and least <= 0:
            yield place, f"`Logarithmic` needs values above 0, but the least is {least:g}"
        if scaling == "ReverseLogarithmic":
            if path[0] == RANGES[1]:
                yield place, "`ReverseLogarithmic` is not for a range of integers"
            elif (least is not None and least < 0) or (most is not None and most >= 1):
                yield place, "`ReverseLogarithmic` needs values from 0 to below 1"


def _ranges_are_few(space: JsonObject) -> Violations:
    count = len([*_entries(space)])
    if count > _MOST_RANGES:
        yield (), f"{count} hyperparameters are searched; at most {_MOST_RANGES} may be"


def _metrics_are_few(job: JsonObject) -> Violations:
    place = ("AlgorithmSpecification", "MetricDefinitions")
    count = len(objects(value_at(job, ".".join(place))))
    if count > _MOST_METRICS:
        yield place, f"{count} metrics are defined; a tuning job takes {_MOST_METRICS}"


def _one_way_of_instances(resources: JsonObject) -> Violations:
    if resources.get("InstanceConfigs"):
        for member in ("InstanceType", "InstanceCount", "VolumeSizeInGB"):
            if resources.get(member) is not None:
                yield (member,), f"`{member}` cannot be given beside `InstanceConfigs`"
