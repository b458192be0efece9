"""The sample request → why it was not answered; empty where it was."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from pipelines.programs.deploy import modes
from pipelines.programs.deploy.model import DeploymentTarget, SampleRequest
from pipelines.programs.deploy.observe import Clients, split

UNSEEN = ("403", "404", "AccessDenied", "Forbidden", "NoSuchKey", "NotFound")
"""The codes of S3 for an object that is not there, or may not be looked at."""

_TRIES = 3
_TRANSIENT = (429, 500, 502, 503, 504)
_ANSWER_SECONDS = 900.0
"""How long an asynchronous invocation may take by default (FACTS 12)."""

_LONGEST_PAUSE = 5.0
_REASON_LENGTH = 500


def send_sample(clients: Clients, target: DeploymentTarget, mode: str) -> str:
    """Send the sample request; return why it was not answered, empty where it was.

    Args:
        clients: boto3's clients.
        target: the target.
        mode: the mode that the endpoint is in; not the target's where that one failed.
    """
    if target.sample is None:
        return ""
    send = _ask if modes.find(mode).answers_in_s3 else _send
    reason = ""
    for _ in range(_TRIES):
        reason, may_pass = send(clients, target, target.sample)
        if not may_pass:
            break
        time.sleep(1)
    return reason


def _send(clients: Clients, target: DeploymentTarget, sample: SampleRequest) -> tuple[str, bool]:
    """Send a request once; return why it was not answered, and whether another try may help."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - not at import

    try:
        response = clients.runtime.invoke_endpoint(
            EndpointName=target.endpoint, Body=sample.body, ContentType=sample.content_type
        )
        response["Body"].read()
    except ClientError as error:
        return _refused(error)
    except BotoCoreError as error:
        return f"the sample request was not answered: {error}", True
    return "", False


def _refused(error: Any) -> tuple[str, bool]:
    reason = error.response.get("Error", {}).get("Message", error)
    status = error.response.get("OriginalStatusCode") or error.response.get(
        "ResponseMetadata", {}
    ).get("HTTPStatusCode")
    return f"the sample request was refused: {reason}", status in _TRANSIENT


def _ask(clients: Clients, target: DeploymentTarget, sample: SampleRequest) -> tuple[str, bool]:
    """Put the request beside the answers, and wait for the answer or the error; as `_send`."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - not at import

    output = _served(clients, target)["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"]
    bucket, prefix = split(output)
    key = f"{prefix.rstrip('/')}/input/{uuid.uuid4()}".lstrip("/")
    clients.s3.put_object(Bucket=bucket, Key=key, Body=sample.body)
    try:
        asked = clients.runtime.invoke_endpoint_async(
            EndpointName=target.endpoint,
            InputLocation=f"s3://{bucket}/{key}",
            ContentType=sample.content_type,
        )
    except ClientError as error:
        return _refused(error)
    return _await(clients, asked["OutputLocation"], asked.get("FailureLocation")), False


def _served(clients: Clients, target: DeploymentTarget) -> dict[str, Any]:
    """Return the config of an asynchronous endpoint: the target's, or an earlier one."""
    if "AsyncInferenceConfig" in target.config:
        return target.config
    live = clients.sagemaker.describe_endpoint(EndpointName=target.endpoint)
    name: str = live["EndpointConfigName"]
    found: dict[str, Any] = clients.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    return found


def _await(clients: Clients, output: str, failure: str | None) -> str:
    """Wait until one of the two objects is there."""
    deadline, pause = time.monotonic() + _ANSWER_SECONDS, 0.05
    while time.monotonic() < deadline:
        if _read(clients, output) is not None:
            return ""
        error = _read(clients, failure) if failure else None
        if error is not None:
            text = error.decode("utf-8", "replace").strip()[:_REASON_LENGTH]
            return f"the sample request was refused: {_message(text)}"
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    minutes = _ANSWER_SECONDS / 60
    return f"the sample request was not answered in {minutes:g} minutes: nothing is in {output}"


def _message(text: str) -> str:
    """Return the message of an error that is JSON, as it is where it is not."""
    try:
        read = json.loads(text)
    except ValueError:
        return text
    return str(read.get("Message", text)) if isinstance(read, dict) else text


def _read(clients: Clients, uri: str) -> bytes | None:
    """Read an object; None where it is not there."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - not at import

    bucket, key = split(uri)
    try:
        content: bytes = clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in UNSEEN:
            raise
        return None
    return content
