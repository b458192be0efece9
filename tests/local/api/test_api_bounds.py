"""Requests that no client sends: refused with the service's own error code, and soon."""

from __future__ import annotations

import base64
import json
import os
import re
import resource
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipelines.backends.local.api import bodies
from tests.local.api.conftest import ROLE, Served, refusal

DEEP = 5000
HEAD = "X-Amz-Target: SageMaker."
JSON_ERROR = re.compile(rb'"__type": "(\w+)"')
XML_ERROR = re.compile(rb"<Code>(\w+)</Code>")


def send(served: Served, line: str, headers: str = "", body: bytes = b"") -> tuple[int, bytes]:
    """Send a request as it stands and return status and body; the connection is closed then."""
    place = urlsplit(served.url)
    length = "" if "Transfer-Encoding" in headers else f"Content-Length: {len(body)}\r\n"
    host = f"Host: 127.0.0.1:{place.port}\r\nConnection: close\r\n"
    with socket.create_connection((str(place.hostname), place.port or 0), 10) as connection:
        connection.sendall(f"{line} HTTP/1.1\r\n{host}{length}{headers}\r\n".encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), content


def code_of(answer: tuple[int, bytes]) -> tuple[int, str]:
    """Return status and error code."""
    status, content = answer
    found = JSON_ERROR.search(content) or XML_ERROR.search(content)
    return status, found[1].decode() if found else content.decode()


@pytest.fixture
def bucket(served: Served) -> Served:
    """Serve a bucket with one object."""
    served.sagemaker.objects.put_bytes("s3://bucket/k", b"hello")
    return served


@pytest.mark.parametrize(
    ("operation", "body", "code"),
    [
        ("ListModels", "[" * DEEP + "]" * DEEP, "SerializationException"),
        ("ListModels", '{"MaxResults":' * DEEP + "1" + "}" * DEEP, "SerializationException"),
        ("ListModels", '{"MaxResults": NaN}', "SerializationException"),
        ("ListModels", '{"MaxResults": 99999999999999999999}', "SerializationException"),
        ("ListModels", '{"MaxResults": ' + "9" * DEEP + "}", "SerializationException"),
        ("ListModels", '{"CreationTimeAfter": 1e400}', "SerializationException"),
        ("ListModels", '{"CreationTimeAfter": 1e300}', "SerializationException"),
        ("ListModels", r'{"NameContains": "\ud800"}', "SerializationException"),
        ("ListModels", '{"NameContains": "' + "a" * 10_000_000 + '"}', "ValidationException"),
        ("DescribeModel", '{"ModelName": "\\u0000"}', "ValidationException"),
        ("Nothing\x80", "{}", "UnknownOperationException"),
    ],
)
def test_a_json_request_that_nobody_sends_is_refused(
    served: Served, operation: str, body: str, code: str
) -> None:
    """With the protocol's code, and without filling the log."""
    headers = f"{HEAD}{operation}\r\n"
    status, content = send(served, "POST /", headers, body.encode())
    assert code_of((status, content)) == (400, code)
    assert len(content) < 2000


def test_a_definition_that_is_not_text_is_refused(bucket: Served) -> None:
    """`PipelineDefinitionS3Location` may name any object."""
    bucket.sagemaker.objects.put_bytes("s3://bucket/k", b"\xff\xfe")
    location = {"Bucket": "bucket", "ObjectKey": "k"}
    request = {
        "PipelineName": "p",
        "PipelineDefinitionS3Location": location,
        "RoleArn": "arn:aws:iam::000000000000:role/x",
        "ClientRequestToken": "t" * 32,
    }
    body = json.dumps(request).encode()
    answer = send(bucket, "POST /", f"{HEAD}CreatePipeline\r\n", body)
    assert code_of(answer) == (400, "ValidationException")


@pytest.mark.parametrize(
    "key", ["[" * DEEP, "null", "[null, 1]", '[[1], "g"]', '["g"]', '[{}, "g"]', "[true, 1]"]
)
def test_a_token_of_another_form_is_refused(served: Served, key: str) -> None:
    """The next page begins behind a key; what cannot be compared with one is no token."""
    served.client("sagemaker").create_model_package_group(ModelPackageGroupName="g")
    token = base64.urlsafe_b64encode(key.encode()).decode()
    body = json.dumps({"NextToken": token}).encode()
    answer = send(served, "POST /", f"{HEAD}ListModelPackageGroups\r\n", body)
    assert code_of(answer) == (400, "ValidationException")


XML_HEAD = '<?xml version="1.0" encoding="{}"?>'
DELETE = "<Delete><Object><Key>k</Key></Object></Delete>"
DTD = '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx">]>'


@pytest.mark.parametrize(
    "document",
    [
        (XML_HEAD.format("utf-7") + DELETE).encode(),
        (XML_HEAD.format("no-such") + DELETE).encode(),
        (XML_HEAD.format("utf-16") + DTD + DELETE).encode("utf-16"),
        DTD.encode() + DELETE.encode(),
        b"\xff" + DELETE.encode(),
        b"<a>" * DEEP,
        b"",
    ],
)
def test_a_document_that_is_no_utf_8_or_has_a_dtd_is_refused(
    bucket: Served, document: bytes
) -> None:
    """Whatever encoding it names; nothing in it expands."""
    answer = send(bucket, "POST /bucket?delete", "", document)
    assert code_of(answer) == (400, "MalformedXML")
    assert bucket.sagemaker.objects.exists("s3://bucket/k")


@pytest.mark.parametrize(
    ("line", "headers", "code"),
    [
        ("GET /bucket/k", f"Range: bytes={'9' * DEEP}-\r\n", (416, "InvalidRange")),
        ("GET /bucket/k", f"Range: bytes=0-{'9' * DEEP}\r\n", (206, "hello")),
        ("GET /bucket/k", f"Range: bytes=-{'9' * DEEP}\r\n", (206, "hello")),
        ("GET /bucket/k", f"Range: bytes={'0' * DEEP}-1\r\n", (206, "he")),
        ("GET /bucket/k", "Host: evil.example\r\n", (400, "InvalidRequest")),
        ("GET /bucket/k?response-content-type=a%0d%0ab", "", (400, "InvalidArgument")),
        ("GET /bucket/k?response-expires=%E2%82%AC", "", (400, "InvalidArgument")),
        ("GET /bucket?list-type=2&max-keys=%C2%B2", "", (400, "InvalidArgument")),
        (f"GET /bucket?list-type=2&max-keys={'9' * DEEP}", "", (400, "InvalidArgument")),
        (f"GET /bucket?list-type=2&continuation-token={'W1td' * 9}", "", (400, "InvalidArgument")),
        ("PUT /bucket/" + "a/" * 1000, "", (400, "KeyTooLongError")),
        ("PUT /bucket/" + "a/" * 400 + "k", "", (400, "KeyTooLongError")),
        ("GET /bucket/" + "a" * 300, "", (400, "KeyTooLongError")),
        ("PUT /bucket/x", "x-amz-copy-source: bucket/" + "a/" * 999, (400, "KeyTooLongError")),
        ("GET /bucket/k", f"If-Modified-Since: {'9' * 40}\r\n", (200, "hello")),
    ],
)
def test_an_object_request_that_nobody_sends_is_refused(
    bucket: Served, line: str, headers: str, code: tuple[int, str]
) -> None:
    """With S3's code; what has only odd numbers is served."""
    if headers and not headers.endswith("\r\n"):
        headers += "\r\n"
    assert code_of(send(bucket, line, headers)) == code


def test_a_name_that_is_not_utf_8_is_listed_and_read(bucket: Served) -> None:
    """A job may write such a file."""
    folder = bucket.sagemaker.objects.root / "bucket"
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_bytes(b"odd")
    status, content = send(bucket, "GET /bucket?list-type=2&encoding-type=url")
    assert status == 200
    assert b"<Key>%FF</Key>" in content
    assert send(bucket, "GET /bucket?list-type=2")[0] == 200
    assert send(bucket, "GET /bucket/%FF") == (200, b"odd")


CHUNKED = "Transfer-Encoding: chunked\r\n"
FRAMED = f"{CHUNKED}x-amz-decoded-content-length: 3\r\n"


@pytest.mark.parametrize(
    ("line", "headers", "code"),
    [
        ("PUT /bucket/k", CHUNKED, (411, "MissingContentLength")),
        ("PUT /bucket/k", FRAMED, (413, "EntityTooLarge")),
        ("POST /", f"{CHUNKED}{HEAD}ListModels\r\n", (413, "EntityTooLarge")),
    ],
)
def test_a_body_that_never_ends_is_refused(
    bucket: Served, line: str, headers: str, code: tuple[int, str]
) -> None:
    """An object's length is known before it is sent, and other bodies are bounded."""
    place = urlsplit(bucket.url)
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with socket.create_connection((str(place.hostname), place.port or 0), 10) as connection:
        connection.sendall(
            f"{line} HTTP/1.1\r\nHost: 127.0.0.1:{place.port}\r\n{headers}\r\n".encode()
        )
        with suppress(OSError):  # the server closes
            while True:
                connection.sendall(piece)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, content = answer.partition(b"\r\n\r\n")
    assert code_of((int(head.split(b" ")[1]), content)) == code
    assert list((bucket.sagemaker.settings.home).glob("spool/*")) == []


def test_a_body_that_does_not_arrive_is_refused(
    bucket: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client has stopped, and is told so."""
    monkeypatch.setattr(bodies, "PATIENCE_SECONDS", 0.2)
    headers = "Content-Length: 9\r\n"
    place = urlsplit(bucket.url)
    with socket.create_connection((str(place.hostname), place.port or 0), 10) as connection:
        head = f"PUT /bucket/k HTTP/1.1\r\nHost: 127.0.0.1:{place.port}\r\n{headers}\r\n"
        connection.sendall(head.encode() + b"abc")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert code_of((408, answer)) == (408, "RequestTimeout")


@pytest.mark.parametrize(
    "bomb",
    [
        b"a:\r\n" * 700_000,
        b"a: " + b"x" * 3_000_000,
        b"a: " + b"x" * 90_000 + b"\r\n\r\n",
        b"x" * 3_000_000,
    ],
)
def test_a_head_that_is_too_large_is_refused_before_it_is_read(
    served: Served, bomb: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Many small headers would cost a hundred times their size in memory."""
    place = urlsplit(served.url)
    with socket.create_connection((str(place.hostname), place.port or 0), 10) as connection:
        with suppress(OSError):  # the server closes
            connection.sendall(b"GET /" + (b"" if b":" in bomb else bomb) + b" HTTP/1.1\r\n" + bomb)
        answer = connection.recv(1000)
        with suppress(OSError):
            while connection.recv(1000):  # until the server has forgotten it
                pass
    assert [one.getMessage() for one in caplog.records if one.exc_info] == []
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert answer.endswith(b"have more than 65536 bytes or 200 lines\n")


def test_a_body_that_does_not_fit_on_the_disk_is_refused_with_its_place(bucket: Served) -> None:
    """With what is free while it is there; the next request is served."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (11_999_999, before[1]))
    try:
        status, answer = send(bucket, "PUT /bucket/key", "", b"x" * 12_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert status == 507
    assert re.search(rb"\.pipelines/spool/\w+: File too large", answer)
    assert send(bucket, "PUT /bucket/key", "", b"x")[0] == 200


def test_a_state_that_cannot_be_written_is_no_fault_of_the_request(served: Served) -> None:
    """A full disk is an InternalFailure that says what to do; then the server goes on."""
    connection = served.sagemaker._state._database._connection
    client = served.client("sagemaker")
    fail = {"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    definition = json.dumps({"Version": "2020-12-01", "Steps": [fail]}).ljust(1_000_000)
    request = {"RoleArn": ROLE, "PipelineDefinition": definition, "ClientRequestToken": "t" * 32}
    (most,) = connection.execute("PRAGMA max_page_count").fetchone()
    connection.execute("PRAGMA max_page_count = 1")  # that is: not one more than there are
    try:
        code, message, status = refusal(client.create_pipeline, PipelineName="p", **request)
    finally:
        connection.execute(f"PRAGMA max_page_count = {most}")
    assert (code, status) == ("InternalFailure", 500), message
    assert "the disk is full" in message
    assert "free some space" in message
    assert client.create_pipeline(PipelineName="p", **request)["PipelineArn"]
