"""`autoscaling:` of each mode → what the deployer registers with Application Auto Scaling.

A number of instances, or of provisioned concurrency, follows a metric of CloudWatch (FACTS 5.3).
"""

from typing import Any, Self

from pydantic import Field, model_validator

from pipelines.json_types import JsonObject
from pipelines.spec.base import SpecModel
from pipelines.spec.values import mistake

_INSTANCES = "sagemaker:variant:DesiredInstanceCount"
_CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"


_MOST = 2_147_483_647
"""Application Auto Scaling takes integers of 32 bits."""


class Scaling(SpecModel):
    """Bounds and pauses, which all modes have."""

    min: int = Field(1, ge=1, le=_MOST, description="The least number.")
    max: int = Field(ge=1, le=_MOST, description="The greatest number.")
    scale_in_cooldown_in_seconds: int | None = Field(
        None,
        ge=0,
        le=_MOST,
        description="Pause after a removal before the next one; 300 by default.",
    )
    scale_out_cooldown_in_seconds: int | None = Field(
        None,
        ge=0,
        le=_MOST,
        description="Pause after an addition before the next one; 300 by default.",
    )

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.min > self.max:
            message = f"`min` is {self.min}, more than `max`, {self.max}"
            raise mistake("SP122", message, "write a smaller `min` or a greater `max`", below="min")
        return self


class RealtimeScaling(Scaling):
    """How many instances there are, by what each of them gets."""

    invocations_per_instance: float | None = Field(
        None, gt=0, description="Requests per minute that each instance is to get."
    )
    concurrent_requests_per_instance: float | None = Field(
        None, gt=0, description="Requests at once that each instance is to get; it reacts faster."
    )

    @model_validator(mode="after")
    def _one_metric(self) -> Self:
        given = [one for one in _METRICS if getattr(self, one) is not None]
        if len(given) != 1:
            message = f"needs exactly one of {' and '.join(_METRICS)}"
            raise mistake("SP125", message, "keep only one" if given else f"such as `{_EXAMPLE}`")
        return self

    def registered(self) -> JsonObject:
        """Return what is registered for a real-time variant."""
        (name,) = (one for one in _METRICS if getattr(self, one) is not None)
        metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": _METRICS[name]}}
        return _registered(self, _INSTANCES, getattr(self, name), metric)


_EXAMPLE = "invocations_per_instance: 500"
_METRICS = {
    "invocations_per_instance": "SageMakerVariantInvocationsPerInstance",
    "concurrent_requests_per_instance": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}


class AsynchronousScaling(Scaling):
    """How many instances there are, by the requests that wait; none where nothing waits."""

    min: int = Field(
        0, ge=0, description="The least number; with 0 the first request waits for an instance."
    )
    backlog_per_instance: float = Field(
        gt=0, description="Requests that may wait for each instance."
    )

    def registered(self) -> JsonObject:
        """Return what is registered for an asynchronous variant; the deployer adds its endpoint."""
        metric = {"MetricName": _BACKLOG, "Namespace": "AWS/SageMaker", "Statistic": "Average"}
        specified = {"CustomizedMetricSpecification": metric}
        return _registered(self, _INSTANCES, self.backlog_per_instance, specified)


class ServerlessScaling(Scaling):
    """How much provisioned concurrency there is, by how much of it is used."""

    utilization: float = Field(
        0.7, ge=0.1, le=0.9, description="The share of it that is to be in use, 0.1 to 0.9."
    )

    def registered(self) -> JsonObject:
        """Return what is registered for a serverless variant."""
        metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": _SERVERLESS_METRIC}}
        return _registered(self, _CONCURRENCY, self.utilization, metric)


_SERVERLESS_METRIC = "SageMakerVariantProvisionedConcurrencyUtilization"
_BACKLOG = "ApproximateBacklogSizePerInstance"
_TARGETS = {
    **{metric: key for key, metric in _METRICS.items()},
    _SERVERLESS_METRIC: "utilization",
    _BACKLOG: "backlog_per_instance",
}
"""The key that holds the value that a metric is to have."""

_COOLDOWNS = {
    "ScaleInCooldown": "scale_in_cooldown_in_seconds",
    "ScaleOutCooldown": "scale_out_cooldown_in_seconds",
}


def scaling_keys(registered: JsonObject) -> JsonObject:
    """Return the keys of `autoscaling:` that became what is registered."""
    tracking = registered["TargetTracking"]
    predefined = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    metric = predefined or tracking["CustomizedMetricSpecification"]["MetricName"]
    pauses = {key: tracking[name] for name, key in _COOLDOWNS.items() if name in tracking}
    bounds = {"min": registered["MinCapacity"], "max": registered["MaxCapacity"]}
    return {**bounds, _TARGETS[metric]: tracking["TargetValue"], **pauses}


def _registered(scaling: Scaling, dimension: str, value: float, metric: Any) -> JsonObject:
    cooldowns = {name: getattr(scaling, key) for name, key in _COOLDOWNS.items()}
    given = {name: seconds for name, seconds in cooldowns.items() if seconds is not None}
    return {
        "ScalableDimension": dimension,
        "MinCapacity": scaling.min,
        "MaxCapacity": scaling.max,
        "TargetTracking": {"TargetValue": float(value), **metric, **given},
    }
