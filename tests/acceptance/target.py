"""What the acceptance tests run against: the local SageMaker or an account, by boto3 alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from tests.acceptance.events import EventSource

TAG = "pipelines-acceptance"
"""The key of the tag that everything of a run carries; its value is the run's prefix."""

OPEN = frozenset({"Executing", "Stopping", "InProgress", "Creating", "Updating", "Pending"})
"""Statuses of executions, jobs, endpoints and packages that will change by themselves."""


_NOT_ASKED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "NotImplemented",
        "ResourceLimitExceeded",
        "ThrottlingException",
        "UnrecognizedClientException",
    }
)


def is_beside_the_fact(error: ClientError) -> bool:
    """Return whether an error says nothing about the fact that a test is about."""
    response: Any = error.response
    broken: bool = response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    return broken or response["Error"]["Code"] in _NOT_ASKED


def refused(call: Callable[[], object]) -> Any:
    """Return the response of the error that a call must raise.

    Raises:
        ClientError: another one, which says nothing about the request.
    """
    with pytest.raises(ClientError) as caught:
        call()
    if is_beside_the_fact(caught.value):
        raise caught.value
    return caught.value.response


@frozen
class Target:
    """A SageMaker, and what a run may use of it.

    Args:
        prefix: what the name of each resource of the run begins with.
        bucket: a bucket of the run.
        delay: seconds between two looks at something that is not ready.
        patience: seconds after which something that is still not ready is a failure.
        receives: receives the events of the run while a context is open.
    """

    prefix: str
    role: str
    bucket: str
    image: str
    client: Callable[[str], Any]
    delay: float
    patience: float
    receives: Callable[[], AbstractContextManager[EventSource]]

    @property
    def sagemaker(self) -> Any:
        """Return the client of SageMaker."""
        return self.client("sagemaker")

    @property
    def tags(self) -> list[dict[str, str]]:
        """Return the tags of each resource of the run."""
        return [{"Key": TAG, "Value": self.prefix}]

    def named(self, what: str) -> str:
        """Return the name of a resource of this run."""
        return f"{self.prefix}-{what}"

    def request_token(self, what: str) -> str:
        """Return a ClientRequestToken of this run, which has 32 characters or more."""
        return f"{self.named(what)}-{'0' * 32}"

    def uri(self, key: str) -> str:
        """Return the URI of an object of this run."""
        return f"s3://{self.bucket}/{key}"

    def settled(self, describe: Callable[[], JsonObject], status: str) -> JsonObject:
        """Describe something until its status, which is this member, does not change any more."""
        end = time.monotonic() + self.patience
        while (described := describe())[status] in OPEN:
            if time.monotonic() > end:
                raise TimeoutError(f"still {described[status]} after {self.patience:.0f} s")
            time.sleep(self.delay)
        return described
