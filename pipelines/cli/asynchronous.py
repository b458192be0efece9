"""A request of an asynchronous endpoint: its body into S3, and where its answer is."""

from __future__ import annotations

import time
import uuid
from typing import Any

from pipelines.account.account import Account
from pipelines.errors import ExecutionFailedError, UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen

_WAIT_SECONDS = 3 * 3600.0
_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


@frozen
class AsynchronousBody:
    """The body of a request: its bytes, their media type, and the suffix of the file."""

    content: bytes
    content_type: str
    accept: str
    suffix: str


@frozen
class Accepted:
    """What the service says of a request: where its answer, or its error, will be."""

    output: str
    failure: str | None


def ask_later(account: Account, endpoint: str, body: AsynchronousBody) -> Accepted:
    """Upload a body below the endpoint's answers, and send the request.

    Raises:
        UsageError: the endpoint is not asynchronous.
        CallRefusedError: it is not there, or a call was refused.
    """
    with account.clients("sagemaker", "sagemaker-runtime") as (sagemaker, runtime):
        described: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=endpoint)
        config = described.get("AsyncInferenceConfig")
        if config is None:
            message = f"the endpoint `{endpoint}` is not asynchronous"
            raise UsageError(message, "remove --async")
        answers = config["OutputConfig"].get("S3OutputPath")
        if answers is None:  # the API does not require it
            message = f"the endpoint `{endpoint}` does not say where its answers are"
            raise UsageError(message, "give its endpoint config an S3OutputPath")
        bucket, prefix = _split(answers)
        folder = f"{prefix.strip('/')}/input".lstrip("/")
        key = f"{folder}/{uuid.uuid4()}{body.suffix}"
        account.upload(bucket, key, body.content)
        accepted = runtime.invoke_endpoint_async(
            EndpointName=endpoint,
            InputLocation=f"s3://{bucket}/{key}",
            ContentType=body.content_type,
            Accept=body.accept,
        )
    return Accepted(accepted["OutputLocation"], accepted.get("FailureLocation"))


def wait_for(account: Account, accepted: Accepted) -> None:
    """Wait until the answer is there.

    Raises:
        CallRefusedError: an error is there instead.
        ExecutionFailedError: neither is there for long.
    """
    deadline, pause = time.monotonic() + _WAIT_SECONDS, _PAUSE
    while not _is_there(account, accepted.output):
        if accepted.failure is not None and _is_there(account, accepted.failure):
            reason = account.download(*_split(accepted.failure)).decode("utf-8", "replace")
            message = f"the request failed: {reason}"
            raise CallRefusedError(message, f"see {accepted.failure}", code="ModelError")
        if time.monotonic() > deadline:
            hours = _WAIT_SECONDS / 3600
            message = f"there is no answer after {hours:g} hours"
            raise ExecutionFailedError(message, f"it would be {accepted.output}")
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _is_there(account: Account, uri: str) -> bool:
    bucket, key = _split(uri)
    listed = {"Bucket": bucket, "Prefix": key, **account.owned()}
    found = account.pages("s3", "list_objects_v2", "Contents", **listed)
    return any(one["Key"] == key for one in found)


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
