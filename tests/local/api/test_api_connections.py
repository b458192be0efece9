"""What clients may send on a connection, as they may: no body and no response is lost."""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipelines.backends.local.api import running, serving
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from tests.local.api.conftest import ROLE, Served
from tests.waiting import until

LINE = "PUT /bucket/{} HTTP/1.1\r\nHost: {}\r\n"
LENGTH = "Content-Length: 5\r\n"
H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
WEBSOCKET = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
FRAMED = "Transfer-Encoding: chunked\r\nx-amz-decoded-content-length: 5\r\n"
EXPECT = "Expect: 100-continue\r\n"
LAST = "Connection: close\r\n"


@pytest.fixture
def bucket(served: Served) -> Served:
    """Serve an empty bucket."""
    served.client("s3").create_bucket(Bucket="bucket")
    return served


def put(served: Served, key: str, headers: str, body: str = "hello") -> bytes:
    """Write a request that puts an object."""
    line = LINE.format(key, urlsplit(served.url).netloc)
    return f"{line}{headers}\r\n{body}".encode()


def exchange(served: Served, *pieces: bytes) -> bytes:
    """Send pieces, each in a packet of its own; return all until the server closes."""
    place = urlsplit(served.url)
    with socket.create_connection((str(place.hostname), place.port or 0), 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def statuses(answer: bytes) -> list[int]:
    """Return the status of each response."""
    return [int(one) for one in re.findall(rb"HTTP/1\.1 (\d+) ", answer)]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_for_another_protocol_is_served_with_its_body(
    served: Served, *, chunked: bool
) -> None:
    """As if it had not asked: Java's client asks in the first request on each connection."""
    body = '{"ModelName": "of-body"}'
    size = len(body)
    framing = "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {size}\r\n"
    sent = f"{size:x}\r\n{body}\r\n0\r\n\r\n" if chunked else body
    line = f"POST / HTTP/1.1\r\nHost: {urlsplit(served.url).netloc}\r\n"
    line += f"X-Amz-Target: SageMaker.DescribeModel\r\n{framing}"
    asks = [f"{line}{one}\r\n{sent}" for one in (H2C, WEBSOCKET, H2C + EXPECT, H2C + LAST)]
    answer = exchange(served, "".join(asks).encode())
    assert [one for one in statuses(answer) if one != 100] == [400] * 4
    assert answer.count(b"model/of-body") == 4


def test_a_request_for_another_protocol_may_arrive_byte_by_byte(bucket: Served) -> None:
    """Also its head, whose end is known when its last byte has arrived."""
    asks = put(bucket, "asks", H2C + LENGTH)
    answer = exchange(bucket, *(bytes([one]) for one in asks), put(bucket, "last", LAST + LENGTH))
    assert statuses(answer) == [200, 200]
    assert bucket.sagemaker.objects.get_bytes("s3://bucket/asks") == b"hello"


@pytest.mark.parametrize(
    "bad",
    [b"no request\x00\r\n\r\n", b"GET / HTTP/1.1\r\na: " + b"x" * 70_000],
    ids=["unreadable", "too large"],
)
def test_what_cannot_be_parsed_takes_no_response_from_what_preceded_it(
    bucket: Served, bad: bytes
) -> None:
    """A body without its length looks like that, too: it is behind a request without a body."""
    first = put(bucket, "first", LENGTH)
    answer = exchange(bucket, first + first + bad)
    assert statuses(answer) == [200, 200]
    assert b"connection: close" in answer
    assert bucket.sagemaker.objects.get_bytes("s3://bucket/first") == b"hello"


def test_a_head_may_arrive_in_pieces_and_behind_a_long_body(bucket: Served) -> None:
    """Its limit is the same then: each byte counts once, and none of what precedes it."""
    fields = [f"x-{number}: {'x' * 990}\r\n" for number in range(64)]
    head = put(bucket, "k", "".join(fields) + LENGTH)
    long = put(bucket, "long", "Content-Length: 200000\r\n", "x" * 200_000)
    last = put(bucket, "last", LAST + LENGTH)
    for middle in (100, 30_000, 60_000):
        asks = (long + head[:1], head[1:9], head[9:middle], head[middle:] + long + head[:middle])
        answer = exchange(bucket, *asks, head[middle:] + last)
        assert statuses(answer) == [200] * 5
    place = urlsplit(bucket.url)
    with socket.create_connection((str(place.hostname), place.port or 0), 10) as connection:
        connection.sendall(long + head[:30_000])
        assert statuses(connection.recv(65536)) == [200]  # what is owed would be all that is sent
        connection.sendall(head[30_000:60_000] + b"x" * 6_000)
        assert statuses(b"".join(iter(lambda: connection.recv(65536), b""))) == [431]


def test_a_body_that_cannot_be_parsed_is_refused_in_its_turn(bucket: Served) -> None:
    """Its client would take the refusal for the response to the request before it."""
    bad = put(bucket, "second", FRAMED, "zz\r\nhello\r\n0\r\n\r\n")
    assert statuses(exchange(bucket, put(bucket, "first", LENGTH) + bad)) == [200, 400]
    assert not bucket.sagemaker.objects.exists("s3://bucket/second")


def test_a_client_that_says_that_it_sends_nothing_more_gets_its_responses(bucket: Served) -> None:
    """It half-closes its connection behind the last request, as `nc -N` and old clients do."""
    place = urlsplit(bucket.url)
    with socket.create_connection((str(place.hostname), place.port or 0), 10) as connection:
        connection.sendall(put(bucket, "k", LENGTH) * 3)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert statuses(answer) == [200] * 3
    assert answer.count(b"connection: close") == 1


@pytest.mark.parametrize("framing", ["0\r\na: ", "5;a="], ids=["trailer", "extension"])
def test_what_surrounds_a_body_is_bounded_as_its_head_is(bucket: Served, framing: str) -> None:
    """Nobody reads it, and a parser may keep what has no end."""
    begun = put(bucket, "k", FRAMED, framing)
    endless = exchange(bucket, begun, *(b"x" * 10_000 for _ in range(7)))
    assert statuses(endless) == [431]


def test_an_object_without_a_length_is_refused(bucket: Served) -> None:
    """As S3 does: it would be empty, since nothing says that a body follows."""
    answer = exchange(bucket, put(bucket, "k", LAST))
    assert statuses(answer) == [411]
    assert b"<Code>MissingContentLength</Code>" in answer
    assert not bucket.sagemaker.objects.exists("s3://bucket/k")


def test_a_body_in_a_coding_that_is_not_decoded_is_refused(bucket: Served) -> None:
    """It would be stored as it was sent."""
    headers = LAST + FRAMED.replace("chunked", "gzip, chunked")
    answer = exchange(bucket, put(bucket, "k", headers, "5\r\nhello\r\n0\r\n\r\n"))
    assert statuses(answer) == [501]
    assert b"<Code>NotImplemented</Code>" in answer
    assert not bucket.sagemaker.objects.exists("s3://bucket/k")


ENDLESS = """
import os, pathlib, time
def model_fn(model_dir):
    return None
def transform_fn(model, body, content_type, accept):
    pathlib.Path(body).touch()
    time.sleep(600)
"""


def test_a_request_that_the_end_of_serve_cuts_gets_an_error_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with a code that SDKs know, not a text of the server's."""
    monkeypatch.setattr(serving, "_GRACE_SECONDS", 0.1)
    begun = tmp_path / "begun"
    settings = LocalSettings(tmp_path / ".pipelines", Path(sys.executable))
    with LocalSageMaker(settings) as sagemaker:
        with running(sagemaker) as api:
            served = Served(sagemaker, api.url)
            bring_up_endless(served)
            place = urlsplit(api.url)
            connection = socket.create_connection((str(place.hostname), place.port or 0), 60)
            line = f"POST /endpoints/e/invocations HTTP/1.1\r\nHost: {place.netloc}\r\n"
            body = str(begun).encode()
            head = f"{line}Content-Type: text/csv\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            until(begun.exists)
        with connection:
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head_of_answer, _, content = answer.partition(b"\r\n\r\n")
    assert statuses(answer) == [503]
    assert b"x-amzn-errortype: ServiceUnavailable" in head_of_answer
    assert "has ended" in json.loads(content)["Message"]


def bring_up_endless(served: Served) -> None:
    """Bring up an endpoint whose model does not respond."""
    client = served.client("sagemaker")
    container = {"Image": "sklearn", "ModelDataUrl": served.archive("s3://b/m.tar.gz", ENDLESS)}
    client.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    size = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    variants = [{"VariantName": "A", "ModelName": "m", **size}]
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
    client.create_endpoint(EndpointName="e", EndpointConfigName="c")
    wait = {"Delay": 1, "MaxAttempts": 60}
    client.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig=wait)
