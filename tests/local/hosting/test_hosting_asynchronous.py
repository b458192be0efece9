"""The queue of asynchronous requests: what goes wrong with one holds up no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.backends.local.hosting.asynchronous import (
    AsynchronousRequest,
    AsynchronousRequests,
)
from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import UsageError

Ask = Callable[[bytes], tuple[bytes, str]]


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """Return an empty local S3."""
    return ObjectStore(tmp_path / "s3")


@pytest.fixture
def requests(objects: ObjectStore) -> Iterator[AsynchronousRequests]:
    """Return a queue; it is 1970."""
    queue = AsynchronousRequests(objects, lambda: 0.0)
    yield queue
    queue.close()


def request(folder: Path, name: str, ask: Ask) -> AsynchronousRequest:
    """Return a request of the endpoint `e` whose answer has a name."""
    return AsynchronousRequest(
        endpoint="e",
        inference=name,
        config={"OutputConfig": {"NotificationConfig": {"ErrorTopic": "bad"}}},
        source=None,
        body=lambda: b"",
        ask=ask,
        output=f"s3://b/{name}",
        failure=f"s3://b/{name}-error",
        received=0.0,
        ttl=60,
        log=folder / "A.log",
    )


def good(_body: bytes) -> tuple[bytes, str]:
    """Answer."""
    return b"good", "text/plain"


def refused(_body: bytes) -> tuple[bytes, str]:
    """Refuse."""
    raise UsageError("no such feature")


def broken(_body: bytes) -> tuple[bytes, str]:
    """Fail by a mistake of ours."""
    raise KeyError("ours")


def wait_for_end(name: str = "asynchronous") -> None:
    """Wait until no request is processed."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join()


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ((refused, "s3://b/first"), b"no such feature"),
        ((broken, "s3://b/first"), b"the local SageMaker failed: KeyError('ours')"),
        ((good, "s3://b/../first"), b"leaves its bucket"),
        ((good, "s3://b/taken/first"), b""),
    ],
)
def test_what_goes_wrong_with_a_request_is_kept_and_the_next_is_processed(
    asked: tuple[Ask, str],
    reason: bytes,
    requests: AsynchronousRequests,
    objects: ObjectStore,
    tmp_path: Path,
) -> None:
    """Of the one request that an endpoint takes at once, the place is given back."""
    ask, output = asked
    objects.put_bytes("s3://b/taken", b"an object, which is no folder")
    requests.submit(replace(request(tmp_path, "first", ask), output=output), 1)
    wait_for_end()
    assert reason in objects.get_bytes("s3://b/first-error")
    requests.submit(request(tmp_path, "second", good), 1)
    wait_for_end()
    assert objects.get_bytes("s3://b/second") == b"good"
    log = (tmp_path / "A.log").read_text()
    assert "the asynchronous request first failed: " in log
    assert log.count("notification to bad: ") == 1


def test_a_log_that_is_gone_holds_up_nothing(
    requests: AsynchronousRequests, objects: ObjectStore, tmp_path: Path
) -> None:
    """The endpoint was deleted meanwhile, with its folder."""
    for name, ask in (("first", refused), ("second", good)):
        requests.submit(request(tmp_path / "gone", name, ask), 1)
        wait_for_end()
    assert objects.get_bytes("s3://b/first-error") == b"no such feature"
    assert objects.get_bytes("s3://b/second") == b"good"


def test_what_waits_or_comes_when_the_process_ends_has_failed(
    requests: AsynchronousRequests, objects: ObjectStore, tmp_path: Path
) -> None:
    """What is being processed is finished."""
    gate, begun = threading.Event(), threading.Event()

    def wait(body: bytes) -> tuple[bytes, str]:
        begun.set()
        gate.wait()
        return good(body)

    requests.submit(request(tmp_path, "first", wait), 1)
    begun.wait()
    requests.submit(request(tmp_path, "second", good), 1)
    requests.close()
    requests.submit(request(tmp_path, "third", good), 1)
    gate.set()
    wait_for_end()
    assert objects.get_bytes("s3://b/first") == b"good"
    for name in ("second", "third"):
        assert b"ended before this request" in objects.get_bytes(f"s3://b/{name}-error")
