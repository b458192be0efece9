"""What the modes of a deployment that have instances share: types, rollout, time to start."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from pipelines.images.instances import first_unlike
from pipelines.json_types import JsonObject
from pipelines.spec.base import SpecModel
from pipelines.spec.instances import ONE_OR_SEVERAL, one_or_several
from pipelines.spec.members import RequestMember, keys_of, members_of
from pipelines.spec.values import FixedText, Scalar, fixed_text, mistake, no_entries

_LEAST_LINEAR_PERCENT = 10
_LEAST_ROLLING_PERCENT = 5


def _types(value: object) -> object:
    """Take an instance type, or a list of them in the order in which they are tried."""
    names = one_or_several(value, fixed_text)
    if isinstance(names, list) and (odd := first_unlike(names)):
        message, advice = odd
        raise mistake("SP122", message, advice)
    return names


_SHARES = ("CanarySize", "LinearStepSize", "MaximumBatchSize")


class Rollout(SpecModel):
    """How an update moves requests to the new instances."""

    type: Literal["all_at_once", "canary", "linear", "rolling"] = Field(
        "all_at_once",
        description="all_at_once, canary or linear, beside all old instances; or rolling, "
        "batch by batch.",
    )
    percent: Annotated[
        int, RequestMember("CanarySize.Value", "LinearStepSize.Value", "MaximumBatchSize.Value")
    ] = Field(
        10,
        ge=1,
        le=50,
        description="Share of the first step (canary), of each (linear, >= 10) or of a batch "
        "(rolling, >= 5).",
    )
    wait_interval_in_seconds: int = Field(
        300, ge=0, le=3600, description="Pause after a step, while the alarms are watched."
    )
    termination_wait_in_seconds: int | None = Field(
        None, ge=0, le=3600, description="How long the old instances stay; not if rolling."
    )
    maximum_execution_timeout_in_seconds: int | None = Field(
        None, ge=600, le=28_800, description="How long an update may take."
    )
    alarms: list[FixedText] = Field(
        default_factory=no_entries,
        description="CloudWatch alarms that roll an update back; at most 10.",
    )

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        least = {"linear": _LEAST_LINEAR_PERCENT, "rolling": _LEAST_ROLLING_PERCENT}.get(self.type)
        if least is not None and self.percent < least:
            message = f"`percent` cannot be less than {least} if `type` is {self.type}"
            raise mistake("SP122", message, below="percent")
        if self.type == "rolling" and self.termination_wait_in_seconds is not None:
            message = "`termination_wait_in_seconds` has no meaning if `type` is rolling"
            raise mistake("SP122", message, "remove it", below="termination_wait_in_seconds")
        return self


class OnInstances(SpecModel):
    """A mode whose variant has instances of its own."""

    instance_type: Annotated[
        Any,
        Scalar(_types, ONE_OR_SEVERAL, referable=False),
        RequestMember("ProductionVariants.InstanceType", "InstancePools"),
    ] = Field(description="Such as ml.m5.large; or a list, of which the first free one is used.")
    initial_instance_count: int = Field(1, ge=1, description="How many instances.")
    volume_size_in_gb: Annotated[int | None, RequestMember("VolumeSizeInGB")] = Field(
        None, ge=1, le=512, description="Storage of each."
    )
    model_data_download_timeout_in_seconds: int | None = Field(
        None, ge=60, le=3600, description="How long fetching the model may take."
    )
    container_startup_health_check_timeout_in_seconds: int | None = Field(
        None, ge=60, le=3600, description="How long a container may take to answer /ping."
    )
    inference_ami_version: FixedText | None = Field(
        None, description="The machine image of GPU instances; images with CUDA 13 need one."
    )
    rollout: Annotated[
        Rollout | None,
        RequestMember("BlueGreenUpdatePolicy", "RollingUpdatePolicy", "AutoRollbackConfiguration"),
    ] = Field(None, description="How an update moves requests.")

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The instance types, the first choice first."""
        given: list[str] | str = self.instance_type
        return tuple(given) if isinstance(given, list) else (given,)


_ELSEWHERE = {
    "rollout": ("has no instances to move requests between", "deployment guardrails"),
    "data_capture": ("cannot keep its requests", "data capture"),
    "shadow": ("cannot copy its requests", "shadow tests"),
}
"""Keys of other modes: why one lacks them, and the page of the developer guide that says so."""


def refuse_elsewhere(value: object, noun: str, keys: tuple[str, ...]) -> object:
    """Return a block as it is, unless it has a key that the service excludes in this mode."""
    for key in keys:
        if isinstance(value, dict) and value.get(key) is not None:
            why, page = _ELSEWHERE[key]
            advice = f"remove it, or use `realtime:` (SageMaker developer guide, {page})"
            raise mistake("SP122", f"{noun} {why}: there is no `{key}`", advice, below=key)
    return value


def variant_of(mode: OnInstances) -> JsonObject:
    """Return the members of the production variant."""
    variant = members_of(mode, part=OnInstances)
    types = mode.instance_types
    if len(types) > 1:
        del variant["InstanceType"]
        variant["InstancePools"] = [
            {"InstanceType": one, "Priority": number} for number, one in enumerate(types, 1)
        ]
    else:
        variant["InstanceType"] = types[0]
    return variant


def instance_keys(config: Mapping[str, Any]) -> JsonObject:
    """Return the keys of a mode with instances that became a program's configuration."""
    variant = config["variant"]
    keys = keys_of(OnInstances, variant)
    if "InstancePools" in variant:
        pools = sorted(variant["InstancePools"], key=lambda one: one["Priority"])
        keys["instance_type"] = [one["InstanceType"] for one in pools]
    rollout = _rollout_keys(config.get("deployment") or {})
    return {**keys, **({"rollout": rollout} if rollout else {}), **scaling_key(config)}


def scaling_key(config: Mapping[str, Any]) -> JsonObject:
    """Return `autoscaling`, where a program's configuration has what it became."""
    if not config.get("scaling"):
        return {}
    from pipelines.kinds.base.autoscaling import scaling_keys  # noqa: PLC0415 - few are scaled

    return {"autoscaling": scaling_keys(config["scaling"])}


def _rollout_keys(policy: JsonObject) -> JsonObject:
    rolling = policy.get("RollingUpdatePolicy")
    update = rolling or policy.get("BlueGreenUpdatePolicy", {})
    routing = rolling or update.get("TrafficRoutingConfiguration", {})
    sizes = (routing[name]["Value"] for name in _SHARES if name in routing)
    alarms = policy.get("AutoRollbackConfiguration", {}).get("Alarms", ())
    keys = {
        "type": "rolling" if rolling else routing.get("Type", "").lower(),
        "percent": next(sizes, None),
        "wait_interval_in_seconds": routing.get("WaitIntervalInSeconds"),
        "termination_wait_in_seconds": update.get("TerminationWaitInSeconds"),
        "maximum_execution_timeout_in_seconds": update.get("MaximumExecutionTimeoutInSeconds"),
        "alarms": [one["AlarmName"] for one in alarms],
    }
    return {key: value for key, value in keys.items() if value or value == 0}


def deployment_config(rollout: Rollout | None) -> JsonObject | None:
    """Return `DeploymentConfig` (FACTS 5.2)."""
    if rollout is None:
        return None
    policy = _rolling(rollout) if rollout.type == "rolling" else _blue_green(rollout)
    if rollout.maximum_execution_timeout_in_seconds is not None:
        (inner,) = policy.values()
        inner["MaximumExecutionTimeoutInSeconds"] = rollout.maximum_execution_timeout_in_seconds
    if rollout.alarms:
        alarms = [{"AlarmName": name} for name in rollout.alarms]
        policy["AutoRollbackConfiguration"] = {"Alarms": alarms}
    return policy


def _blue_green(rollout: Rollout) -> JsonObject:
    routing: JsonObject = {
        "Type": rollout.type.upper(),
        "WaitIntervalInSeconds": rollout.wait_interval_in_seconds,
    }
    if rollout.type == "canary":
        routing["CanarySize"] = _share(rollout)
    elif rollout.type == "linear":
        routing["LinearStepSize"] = _share(rollout)
    policy: JsonObject = {"TrafficRoutingConfiguration": routing}
    if rollout.termination_wait_in_seconds is not None:
        policy["TerminationWaitInSeconds"] = rollout.termination_wait_in_seconds
    return {"BlueGreenUpdatePolicy": policy}


def _rolling(rollout: Rollout) -> JsonObject:
    policy = {
        "MaximumBatchSize": _share(rollout),
        "WaitIntervalInSeconds": rollout.wait_interval_in_seconds,
    }
    return {"RollingUpdatePolicy": policy}


def _share(rollout: Rollout) -> JsonObject:
    return {"Type": "CAPACITY_PERCENT", "Value": rollout.percent}
