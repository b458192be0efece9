"""The queue behind InvokeEndpointAsync: what goes wrong with one request stops no other."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipelines.backends.local.hosting.asynchronous import AsynchronousRequest, AsynchronousRequests
from pipelines.backends.local.objects import ObjectStore

CONFIG = {"OutputConfig": {"NotificationConfig": {"SuccessTopic": "arn:t", "ErrorTopic": "arn:t"}}}


def request(number: int, log: Path) -> AsynchronousRequest:
    """Make a request whose answer is its body."""
    return AsynchronousRequest(
        "e",
        str(number),
        CONFIG,
        None,
        lambda: b"body",
        lambda body: (body, "text/plain"),
        f"s3://bucket/{number}.out",
        None,
        time.time(),
        60,
        log,
    )


def test_a_notification_that_cannot_be_written_holds_up_no_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The folder of the logs went with its endpoint; the next requests still have their turn."""
    objects = ObjectStore(tmp_path / "s3")
    queue = AsynchronousRequests(objects, time.time)
    queue.submit(request(1, tmp_path / "gone" / "v.log"), 1)
    queue.submit(request(2, tmp_path / "gone" / "v.log"), 1)
    queue.submit(request(3, tmp_path / "v.log"), 1)
    end = time.monotonic() + 30
    while not (tmp_path / "v.log").exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert [objects.get_bytes(f"s3://bucket/{number}.out") for number in (1, 2, 3)] == [b"body"] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "the request 1 of e was not carried through",
        "the request 2 of e was not carried through",
    ]
