"""`serverless:` of a deployment."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from pipelines.json_types import JsonObject
from pipelines.kinds.base.hosting import refuse_elsewhere, scaling_key
from pipelines.kinds.modes import ModeBlock, Settings
from pipelines.spec.base import Seldom, SpecModel, late
from pipelines.spec.members import RequestMember, keys_of, members_of
from pipelines.spec.values import mistake

_ONE_WORKER = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
"""A serverless instance answers one request at a time (FACTS 11.1)."""


if TYPE_CHECKING:
    from pipelines.kinds.base.autoscaling import ServerlessScaling
else:
    ServerlessScaling = late("pipelines.kinds.base.autoscaling", "ServerlessScaling")


class Serverless(SpecModel):
    """Nothing runs until a request comes; the first one waits for a cold start."""

    memory_size_in_mb: Annotated[
        Literal[1024, 2048, 3072, 4096, 5120, 6144], RequestMember("MemorySizeInMB")
    ] = Field(2048, description="Memory: 1024 to 6144 in steps of 1024; CPU grows with it.")
    max_concurrency: int = Field(
        5, ge=1, le=200, description="Requests that are answered at once; more are refused."
    )
    provisioned_concurrency: int | None = Field(
        None, ge=1, le=200, description="How many of them are kept warm, at a price."
    )
    autoscaling: Seldom[ServerlessScaling] = Field(
        None, description="How the provisioned concurrency follows the load."
    )

    @model_validator(mode="before")
    @classmethod
    def _has_no_instances(cls, value: object) -> object:
        return refuse_elsewhere(
            value, "a serverless endpoint", ("rollout", "data_capture", "shadow")
        )

    @model_validator(mode="after")
    def _scales_what_is_there(self) -> Self:
        if self.autoscaling is None:
            return self
        if self.provisioned_concurrency is None:
            message = "`autoscaling` changes the provisioned concurrency, and there is none"
            advice = f"add `provisioned_concurrency: {self.autoscaling.min}`"
            raise mistake("SP122", message, advice, below="autoscaling")
        if self.autoscaling.max > self.max_concurrency:
            most = f"`max_concurrency`, {self.max_concurrency}"
            message = f"`autoscaling.max` is {self.autoscaling.max}, more than {most}"
            raise mistake("SP122", message, "keep it within `max_concurrency`", below="autoscaling")
        return self


def _settings(mode: Serverless) -> Settings:
    scaling = mode.autoscaling.registered() if mode.autoscaling else None
    return Settings({"ServerlessConfig": members_of(mode)}, _ONE_WORKER, scaling=scaling)


def _keys(config: Mapping[str, Any]) -> JsonObject:
    written = keys_of(Serverless, config["variant"]["ServerlessConfig"])
    return {**written, **scaling_key(config)}


MODE = ModeBlock(
    Serverless, RequestMember("ServerlessConfig"), "Serve without instances.", _settings, _keys
)
