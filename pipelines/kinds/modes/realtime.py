"""`realtime:` of a deployment."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipelines.json_types import JsonObject
from pipelines.kinds.modes import ModeBlock, Settings
from pipelines.spec.base import SpecModel
from pipelines.spec.members import RequestMember, members_of
from pipelines.spec.values import FixedText, mistake, no_entries

_LEAST_LINEAR_PERCENT = 10


class Rollout(SpecModel):
    """How an update moves requests to the new instances."""

    type: Literal["all_at_once", "canary", "linear"] = Field(
        "all_at_once", description="all_at_once, canary or linear."
    )
    percent: Annotated[int, RequestMember("CanarySize.Value", "LinearStepSize.Value")] = Field(
        10, ge=1, le=50, description="Share of the first step (canary) or of each (linear, >= 10)."
    )
    wait_interval_in_seconds: int = Field(
        300, ge=0, le=3600, description="Pause after a step, while the alarms are watched."
    )
    alarms: list[FixedText] = Field(
        default_factory=no_entries,
        description="CloudWatch alarms that roll an update back; at most 10.",
    )

    @model_validator(mode="after")
    def _enough_at_once(self) -> Self:
        if self.type == "linear" and self.percent < _LEAST_LINEAR_PERCENT:
            message = f"`percent` cannot be less than {_LEAST_LINEAR_PERCENT} if `type` is linear"
            raise mistake("SP122", message, below="percent")
        return self


class OnInstances(SpecModel):
    """A mode whose variant has instances of its own."""

    instance_type: FixedText = Field(description="Such as ml.m5.large.")
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
    rollout: Annotated[
        Rollout | None, RequestMember("BlueGreenUpdatePolicy", "AutoRollbackConfiguration")
    ] = Field(None, description="How an update moves requests.")


class Realtime(OnInstances):
    """Instances that are always there."""


def _settings(mode: Realtime) -> Settings:
    return Settings(members_of(mode), deployment=deployment_config(mode.rollout))


def deployment_config(rollout: Rollout | None) -> JsonObject | None:
    """Return `DeploymentConfig` (FACTS 5.2)."""
    if rollout is None:
        return None
    routing: JsonObject = {
        "Type": rollout.type.upper(),
        "WaitIntervalInSeconds": rollout.wait_interval_in_seconds,
    }
    share = {"Type": "CAPACITY_PERCENT", "Value": rollout.percent}
    if rollout.type == "canary":
        routing["CanarySize"] = share
    elif rollout.type == "linear":
        routing["LinearStepSize"] = share
    config: JsonObject = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    if rollout.alarms:
        alarms = [{"AlarmName": name} for name in rollout.alarms]
        config["AutoRollbackConfiguration"] = {"Alarms": alarms}
    return config


MODE = ModeBlock(
    Realtime,
    RequestMember("ProductionVariants", "DeploymentConfig"),
    "Serve with instances.",
    _settings,
)
