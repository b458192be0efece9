"""`invoke --async` against an account: what is uploaded, asked and waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from pipelines.account.account import Account
from pipelines.cli.asynchronous import Accepted, AsynchronousBody, ask_later, wait_for
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError

BODY = AsynchronousBody(b"\xff\xd8", "image/jpeg", "application/json", ".jpg")


@dataclass
class FakeAccount:
    """An account with one endpoint; what is asked of it is answered at the next look.

    Attributes:
        asynchronous: whether the endpoint is.
        fails: whether it refuses requests.
    """

    asynchronous: bool = True
    fails: bool = False
    objects: dict[str, bytes] = field(default_factory=dict)
    coming: dict[str, bytes] = field(default_factory=dict)

    @contextmanager
    def clients(self, *services: str) -> Iterator[tuple[Any, ...]]:
        """Lend the clients, which are this object."""
        yield (self,) * len(services)

    def owned(self) -> dict[str, str]:
        """Return whose buckets they are."""
        return {"ExpectedBucketOwner": "111122223333"}

    def upload(self, bucket: str, key: str, body: bytes) -> None:
        """Write an object."""
        self.objects[f"s3://{bucket}/{key}"] = body

    def download(self, bucket: str, key: str) -> bytes:
        """Read an object."""
        return self.objects[f"s3://{bucket}/{key}"]

    def pages(self, _service: str, operation: str, _member: str, **request: str) -> Any:
        """List objects; then what was asked is answered."""
        assert operation == "list_objects_v2"
        assert request["ExpectedBucketOwner"]
        place = f"s3://{request['Bucket']}/"
        there = [{"Key": uri.removeprefix(place)} for uri in self.objects]
        self.objects.update(self.coming)
        return [one for one in there if one["Key"].startswith(request["Prefix"])]

    def describe_endpoint(self, **_request: str) -> dict[str, Any]:
        """Look at the endpoint."""
        output = {"OutputConfig": {"S3OutputPath": "s3://b/answers/"}}
        return {"AsyncInferenceConfig": output} if self.asynchronous else {}

    def invoke_endpoint_async(self, **request: str) -> dict[str, str]:
        """Accept a request whose body is there."""
        assert self.objects[request["InputLocation"]] == BODY.content
        assert (request["ContentType"], request["Accept"]) == ("image/jpeg", "application/json")
        output, failure = "s3://b/answers/x.out", "s3://b/errors/x-error.out"
        self.coming = {failure: b"no such feature"} if self.fails else {output: b"{}"}
        return {"OutputLocation": output, "FailureLocation": failure}


def given(account: FakeAccount) -> Account:
    """Return the fake as what the functions take."""
    return cast("Account", account)


def test_the_body_lies_below_the_answers_where_the_model_may_read_it() -> None:
    """It keeps the suffix of the file."""
    account = FakeAccount()
    accepted = ask_later(given(account), "e", BODY)
    assert accepted == Accepted("s3://b/answers/x.out", "s3://b/errors/x-error.out")
    (uri,) = account.objects
    assert uri.startswith("s3://b/answers/input/")
    assert uri.endswith(".jpg")
    wait_for(given(account), accepted)


def test_an_error_in_the_place_of_an_answer_is_said() -> None:
    """With the text that lies there."""
    account = FakeAccount(fails=True)
    accepted = ask_later(given(account), "e", BODY)
    with pytest.raises(CallRefusedError, match="the request failed: no such feature"):
        wait_for(given(account), accepted)


def test_another_endpoint_is_asked_without_the_option() -> None:
    """Nothing was uploaded."""
    account = FakeAccount(asynchronous=False)
    with pytest.raises(UsageError, match="is not asynchronous"):
        ask_later(given(account), "e", BODY)
    assert not account.objects
