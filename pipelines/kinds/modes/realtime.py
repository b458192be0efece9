"""`realtime:` of a deployment."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from pipelines.json_types import JsonObject
from pipelines.kinds.base.hosting import (
    OnInstances,
    deployment_config,
    instance_keys,
    variant_of,
)
from pipelines.kinds.modes import ModeBlock, Settings
from pipelines.spec.base import Seldom, SpecModel, late
from pipelines.spec.members import RequestMember, keys_of
from pipelines.spec.values import FixedText

if TYPE_CHECKING:
    from pipelines.kinds.base.autoscaling import RealtimeScaling
else:
    RealtimeScaling = late("pipelines.kinds.base.autoscaling", "RealtimeScaling")

_CAPTURED = {"input": ("Input",), "output": ("Output",), "both": ("Input", "Output")}


class DataCapture(SpecModel):
    """Requests and answers that are kept as JSON lines in S3."""

    percent: Annotated[int, RequestMember("InitialSamplingPercentage")] = Field(
        ge=0, le=100, description="Share of the requests that is kept."
    )
    what: Annotated[Literal["input", "output", "both"], RequestMember("CaptureOptions")] = Field(
        "both", description="Keep the requests (input), the answers (output), or both."
    )
    output: Annotated[FixedText | None, RequestMember("DestinationS3Uri")] = Field(
        None, description="s3:// prefix; by default `captured/` of the pipeline's own prefix."
    )
    kms_key: Annotated[FixedText | None, RequestMember("DataCaptureConfig.KmsKeyId")] = Field(
        None, description="KMS key that they are encrypted with."
    )


class Realtime(OnInstances):
    """Instances that are always there."""

    autoscaling: Seldom[RealtimeScaling] = Field(
        None, description="How the number of instances follows the load."
    )
    data_capture: Annotated[Seldom[DataCapture], RequestMember()] = Field(
        None, description="Keep a share of the requests and answers."
    )
    shadow: Annotated[Literal["pending"] | None, RequestMember("ShadowProductionVariants")] = Field(
        None, description="`pending`: the newest pending version gets a copy of each request."
    )


def _settings(mode: Realtime) -> Settings:
    return Settings(
        variant_of(mode),
        deployment=deployment_config(mode.rollout),
        config={"DataCaptureConfig": _capture(mode.data_capture)} if mode.data_capture else {},
        scaling=mode.autoscaling.registered() if mode.autoscaling else None,
        shadow=mode.shadow,
    )


def _capture(capture: DataCapture) -> JsonObject:
    """Return `DataCaptureConfig` (FACTS 2.5); where nothing is said of it, without a place."""
    config: JsonObject = {
        "EnableCapture": True,
        "InitialSamplingPercentage": capture.percent,
        "CaptureOptions": [{"CaptureMode": one} for one in _CAPTURED[capture.what]],
    }
    if capture.output is not None:
        config["DestinationS3Uri"] = capture.output
    if capture.kms_key is not None:
        config["KmsKeyId"] = capture.kms_key
    return config


def _keys(config: Mapping[str, Any]) -> JsonObject:
    capture = config.get("config", {}).get("DataCaptureConfig")
    kept = {"data_capture": _capture_keys(capture)} if capture else {}
    mirrored = {"shadow": config["shadow"]} if config.get("shadow") else {}
    return {**instance_keys(config), **kept, **mirrored}


def _capture_keys(capture: JsonObject) -> JsonObject:
    what = tuple(one["CaptureMode"] for one in capture["CaptureOptions"])
    (word,) = (word for word, kept in _CAPTURED.items() if kept == what)
    return {**keys_of(DataCapture, capture), "what": word}


MODE = ModeBlock(
    Realtime,
    RequestMember(
        "ProductionVariants", "DeploymentConfig", "DataCaptureConfig", "ShadowProductionVariants"
    ),
    "Serve with instances.",
    _settings,
    _keys,
)
