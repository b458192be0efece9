"""What a tuning job searches: ranges, objective, strategy, and when it ends."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from pipelines.diagnostics import Finding
from pipelines.json_types import Json, JsonObject
from pipelines.kinds.base.contract import EmitContext
from pipelines.kinds.base.jobs import text
from pipelines.spec.base import SpecModel
from pipelines.spec.members import RequestMember, members_of
from pipelines.spec.references import Template
from pipelines.spec.values import AnyScalar, FixedText, Integer, Text, no_entries, scalar_text

RANGE_LISTS: Mapping[str, str] = {
    "continuous": "ContinuousParameterRanges",
    "categorical": "CategoricalParameterRanges",
    "integer": "IntegerParameterRanges",
}
"""What the ranges of each type are called in a request."""

_WORDS = {
    "identical_data_and_algorithm": "IdenticalDataAndAlgorithm",
    "transfer_learning": "TransferLearning",
    "auto": "Auto",
    "linear": "Linear",
    "logarithmic": "Logarithmic",
    "reverse_logarithmic": "ReverseLogarithmic",
}


class Range(SpecModel):
    """The values of one hyperparameter that are searched."""

    type: Literal["continuous", "integer", "categorical"] = Field(
        description="Any number, whole numbers, or the `values`."
    )
    min: Annotated[AnyScalar | None, RequestMember("MinValue")] = Field(
        None, description="The least value."
    )
    max: Annotated[AnyScalar | None, RequestMember("MaxValue")] = Field(
        None, description="The greatest value."
    )
    scaling: Annotated[
        Literal["auto", "linear", "logarithmic", "reverse_logarithmic"],
        RequestMember("ScalingType"),
    ] = Field("auto", description="logarithmic where values span several orders of magnitude.")
    values: list[AnyScalar] = Field(
        default_factory=no_entries, description="Of a categorical one: the values."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: object) -> object:
        return {"type": "categorical", "values": value} if isinstance(value, list) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonObject:
        written = handler(schema)
        mapping = handler.resolve_ref_schema(written)
        short = dict(mapping["properties"]["values"])
        short.pop("default", None)
        described = {key: mapping.pop(key) for key in ("description",) if key in mapping}
        short_or_long = {"anyOf": [short, dict(mapping)], **described}
        mapping.clear()
        mapping.update(short_or_long)
        return written

    def written(self, name: str, context: EmitContext) -> JsonObject:
        """Return the entry of the request."""
        if self.type == "categorical":
            return {"Name": name, "Values": [text(value, context) for value in self.values]}
        return {
            "Name": name,
            "MinValue": text(self.min, context),
            "MaxValue": text(self.max, context),
            "ScalingType": _WORDS[self.scaling],
        }


class Objective(SpecModel):
    """The metric by which the training jobs are compared."""

    metric: Annotated[FixedText, RequestMember("MetricName")] = Field(
        description="One of `metric_definitions`."
    )
    goal: Annotated[Literal["maximize", "minimize"], RequestMember("Type")] = Field(
        description="maximize or minimize."
    )


class Hyperband(SpecModel):
    """The epochs between which `strategy: hyperband` stops training jobs."""

    min_resource: Integer | None = Field(
        None, description="No job is stopped before so many values of the objective."
    )
    max_resource: Integer | None = Field(
        None, description="A job is stopped after so many; otherwise hyperparameter `epochs`."
    )


class CompletionCriteria(SpecModel):
    """When a tuning job ends before `max_jobs`."""

    target_objective_metric_value: AnyScalar | None = Field(
        None, description="As soon as a job reaches this value of the objective."
    )
    max_number_of_training_jobs_not_improving: Integer | None = Field(
        None, description="After so many jobs that are not better than the best one by 1 %."
    )
    complete_on_convergence: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="As soon as the service finds that it has converged.",
    )


class WarmStart(SpecModel):
    """Earlier tuning jobs whose results the search begins with."""

    type: Annotated[
        Literal["identical_data_and_algorithm", "transfer_learning"],
        RequestMember("WarmStartType"),
    ] = Field(description="Whether data and code are those of the parents.")
    parents: Annotated[list[Text], RequestMember("ParentHyperParameterTuningJobs")] = Field(
        description="Names of one to five tuning jobs."
    )


class InstanceConfig(SpecModel):
    """Instances that the training jobs of a tuning job may run on."""

    instance_type: Text = Field(description="Such as ml.g5.xlarge.")
    instance_count: Integer = Field(1, description="How many of them.")
    volume_size_in_gb: Annotated[Integer, RequestMember("VolumeSizeInGB")] = Field(
        30, description="Storage of each, in GB."
    )


def range_checks(name: str, one: Range) -> Iterator[Finding]:
    """Find what the type of a range needs, what it has no use for, and repeated values."""
    categorical = one.type == "categorical"
    needed = ("values",) if categorical else ("min", "max")
    given = one.model_fields_set - {"type"}
    for key in needed:
        if key not in given or getattr(one, key) in (None, []):
            message = f"the {one.type} range `{name}` needs `{key}`"
            yield Finding("SP130", message, ("ranges", name), "key", f"add `{key}:`")
    others = {"min", "max", "scaling"} if categorical else {"values"}
    for key in sorted(given & others):
        message = f"`{key}` is not for a range of `type: {one.type}`"
        yield Finding("SP130", message, ("ranges", name, key), "key", "remove it")
    texts = [value if isinstance(value, Template) else scalar_text(value) for value in one.values]
    for index, value in enumerate(texts):
        if value in texts[:index]:
            message = f"the range `{name}` has the value `{one.values[index]}` twice"
            yield Finding("SP130", message, ("ranges", name), "key", "remove one")


def written_ranges(ranges: Mapping[str, Range], context: EmitContext) -> JsonObject:
    """`ParameterRanges`: a list for each type, as the SDK writes it."""
    found: JsonObject = {member: [] for member in RANGE_LISTS.values()}
    for name, one in ranges.items():
        found[RANGE_LISTS[one.type]].append(one.written(name, context))
    return found


def written_criteria(criteria: CompletionCriteria, context: EmitContext) -> JsonObject:
    """`TuningJobCompletionCriteria`."""
    written: JsonObject = {}
    if criteria.target_objective_metric_value is not None:
        target: Json = criteria.target_objective_metric_value
        written["TargetObjectiveMetricValue"] = context.resolve(target)
    if criteria.max_number_of_training_jobs_not_improving is not None:
        most = context.resolve(criteria.max_number_of_training_jobs_not_improving)
        not_improving = {"MaxNumberOfTrainingJobsNotImproving": most}
        written["BestObjectiveNotImproving"] = not_improving
    if criteria.complete_on_convergence:
        written["ConvergenceDetected"] = {"CompleteOnConvergence": "Enabled"}
    return written


def written_warm_start(start: WarmStart, context: EmitContext) -> JsonObject:
    """`WarmStartConfig`."""
    parents = [{"HyperParameterTuningJobName": context.resolve(name)} for name in start.parents]
    return {"ParentHyperParameterTuningJobs": parents, "WarmStartType": _WORDS[start.type]}


def written_hyperband(hyperband: Hyperband, context: EmitContext) -> JsonObject:
    """`StrategyConfig`."""
    return {"HyperbandStrategyConfig": members_of(hyperband, context.resolve)}
