"""`asynchronous:` of a deployment."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from pipelines.json_types import JsonObject
from pipelines.kinds.base.hosting import (
    OnInstances,
    deployment_config,
    instance_keys,
    refuse_elsewhere,
    variant_of,
)
from pipelines.kinds.modes import ModeBlock, Settings
from pipelines.spec.automation import check_topic
from pipelines.spec.base import Seldom, SpecModel, late
from pipelines.spec.members import RequestMember, keys_of
from pipelines.spec.values import FixedText, mistake, no_entries

if TYPE_CHECKING:
    from pipelines.kinds.base.autoscaling import AsynchronousScaling
else:
    AsynchronousScaling = late("pipelines.kinds.base.autoscaling", "AsynchronousScaling")

_TOPICS = {"SUCCESS_NOTIFICATION_TOPIC": "success", "ERROR_NOTIFICATION_TOPIC": "error"}


class AsynchronousNotify(SpecModel):
    """SNS topics that get a message when a request has ended."""

    success: Annotated[FixedText | None, RequestMember("SuccessTopic")] = Field(
        None, description="ARN of the topic for requests that were answered."
    )
    error: Annotated[FixedText | None, RequestMember("ErrorTopic")] = Field(
        None, description="ARN of the topic for requests that failed."
    )
    include_response_in: list[Literal["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"]] = (
        Field(default_factory=no_entries, description="The topics that get the answer, too.")
    )

    @field_validator("success", "error")
    @classmethod
    def _is_a_topic(cls, arn: str | None) -> str | None:
        return check_topic(arn)

    @model_validator(mode="after")
    def _topics_are_there(self) -> Self:
        if self.success is None and self.error is None:
            message = "`notify` names no topic"
            raise mistake("SP122", message, "add `success:` or `error:`, or remove it")
        for word in self.include_response_in:
            key = _TOPICS[word]
            if getattr(self, key) is None:
                message = f"`{word}` gets the answer, and there is no topic `{key}`"
                advice = f"add `{key}:`, or remove `{word}`"
                raise mistake("SP122", message, advice, below="include_response_in")
        return self


class Asynchronous(OnInstances):
    """Requests are objects in S3, and so are the answers: up to 1 GB and an hour each."""

    output: Annotated[FixedText, RequestMember("S3OutputPath")] = Field(
        description="s3:// prefix for answers, in the region of the endpoint."
    )
    failure_output: Annotated[FixedText | None, RequestMember("S3FailurePath")] = Field(
        None, description="s3:// prefix for the errors of requests that failed."
    )
    notify: Annotated[Seldom[AsynchronousNotify], RequestMember("NotificationConfig")] = Field(
        None, description="SNS topics that get a message when a request has ended."
    )
    max_concurrent_invocations_per_instance: int | None = Field(
        None, ge=1, le=1000, description="Requests that an instance gets at once."
    )
    kms_key: Annotated[FixedText | None, RequestMember("OutputConfig.KmsKeyId")] = Field(
        None, description="KMS key that answers are encrypted with."
    )

    autoscaling: Seldom[AsynchronousScaling] = Field(
        None, description="How the number of instances follows the requests that wait."
    )

    @model_validator(mode="before")
    @classmethod
    def _answers_later(cls, value: object) -> object:
        return refuse_elsewhere(value, "an asynchronous endpoint", ("data_capture", "shadow"))

    @model_validator(mode="after")
    def _places_are_prefixes(self) -> Self:
        for key in ("output", "failure_output"):
            uri = getattr(self, key)
            bucket = (uri or "").removeprefix("s3://").partition("/")[0]
            if uri is not None and not (uri.startswith("s3://") and bucket):
                message = f"`{uri}` is not a prefix in S3"
                raise mistake("SP122", message, "write s3://bucket/prefix", below=key)
        return self


def _settings(mode: Asynchronous) -> Settings:
    return Settings(
        variant_of(mode),
        deployment=deployment_config(mode.rollout),
        config={"AsyncInferenceConfig": _inference(mode)},
        scaling=mode.autoscaling.registered() if mode.autoscaling else None,
    )


def _inference(mode: Asynchronous) -> JsonObject:
    """Return `AsyncInferenceConfig` (FACTS 2.5)."""
    output: JsonObject = {"S3OutputPath": mode.output}
    if mode.failure_output is not None:
        output["S3FailurePath"] = mode.failure_output
    if mode.kms_key is not None:
        output["KmsKeyId"] = mode.kms_key
    if mode.notify is not None:
        output["NotificationConfig"] = _notification(mode.notify)
    config: JsonObject = {"OutputConfig": output}
    if mode.max_concurrent_invocations_per_instance is not None:
        most = mode.max_concurrent_invocations_per_instance
        config["ClientConfig"] = {"MaxConcurrentInvocationsPerInstance": most}
    return config


def _notification(notify: AsynchronousNotify) -> JsonObject:
    given = {"SuccessTopic": notify.success, "ErrorTopic": notify.error}
    config: JsonObject = {member: topic for member, topic in given.items() if topic is not None}
    if notify.include_response_in:
        config["IncludeInferenceResponseIn"] = list(notify.include_response_in)
    return config


def _keys(config: Mapping[str, Any]) -> JsonObject:
    inference = config["config"]["AsyncInferenceConfig"]
    output, client = inference["OutputConfig"], inference.get("ClientConfig", {})
    notified = output.get("NotificationConfig")
    notify = {"notify": _notify_keys(notified)} if notified else {}
    return {**instance_keys(config), **keys_of(Asynchronous, {**output, **client}), **notify}


def _notify_keys(notified: JsonObject) -> JsonObject:
    responses = notified.get("IncludeInferenceResponseIn")
    further = {"include_response_in": responses} if responses else {}
    return {**keys_of(AsynchronousNotify, notified), **further}


MODE = ModeBlock(
    Asynchronous,
    RequestMember("ProductionVariants", "DeploymentConfig", "AsyncInferenceConfig"),
    "Answer requests from S3, one after the other, into S3.",
    _settings,
    _keys,
)
