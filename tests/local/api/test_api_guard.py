"""Who may call the API, and what happens to requests that are none."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

from pipelines.backends.local.api import running
from pipelines.errors import UsageError
from tests.local.api.conftest import Served

TARGET = {"X-Amz-Target": "SageMaker.ListModels"}


def post(served: Served, headers: dict[str, str], body: str = "{}") -> tuple[int, str]:
    """Send a request as it stands; return status and body."""
    place = urlsplit(served.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port)
    try:
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "127.0.0.1", "[::1]"])
def test_a_host_header_of_this_machine_is_welcome(served: Served, name: str) -> None:
    """By any of its names, with the port."""
    port = urlsplit(served.url).port
    assert post(served, {**TARGET, "Host": f"{name}:{port}"}) == (200, '{"Models": []}')


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "127.0.0.1:1", "10.0.0.1", ""],
)
def test_a_host_header_of_elsewhere_is_refused(served: Served, host: str) -> None:
    """A page whose name was made to resolve to this machine says its own name."""
    port = urlsplit(served.url).port
    named = host if ":" in host else f"{host}:{port}"
    status, said = post(served, {**TARGET, "Host": named})
    assert status == 403
    assert json.loads(said) == {
        "__type": "AccessDenied",
        "message": f"the local SageMaker serves 127.0.0.1:{port}, not the host `{named}`",
    }


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_pages_of_other_sites_cannot_post(
    served: Served, headers: dict[str, str], status: int
) -> None:
    """A browser says where a request comes from."""
    assert post(served, {**TARGET, **headers})[0] == status


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("no JSON", "the request is not valid JSON"),
        ("[1]", "the request is not a JSON object"),
        ('{"MaxResults": "1"}', "`MaxResults` has to be a whole number, not the string `1`"),
        ('{"Unknown": 1}', "unknown member `Unknown` in `ListModelsInput`"),
    ],
)
def test_a_body_that_is_no_request_is_refused(served: Served, body: str, reason: str) -> None:
    """With the protocol's own code."""
    status, said = post(served, TARGET, body)
    assert status == 400
    assert json.loads(said) == {"__type": "SerializationException", "message": reason}


def test_an_endpoint_is_asked_by_post(served: Served) -> None:
    """Whoever opens the address in a browser is told."""
    place = urlsplit(served.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port)
    connection.request("GET", "/endpoints/e/invocations")
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["Message"]) == (405, "GET is not supported, use POST")
    connection.close()


def test_what_is_no_http_does_no_harm(served: Served) -> None:
    """The next request is answered."""
    place = urlsplit(served.url)
    with socket.create_connection((str(place.hostname), place.port or 0)) as connection:
        connection.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
        assert b"400" in connection.recv(100)
    assert post(served, TARGET)[0] == 200


def test_a_port_in_use_is_told_with_the_way_out(served: Served) -> None:
    """Another program's, or another project's `serve`."""
    port = urlsplit(served.url).port or 0
    with (
        pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 cannot be used") as caught,
        running(served.sagemaker, port=port),
    ):
        pass
    assert (
        caught.value.remedy
        == "choose another port with `--port N`, or any free one with `--port 0`"
    )


def test_a_number_that_no_float_holds_is_refused(served: Served) -> None:
    """JSON has integers of any length; the member is a float."""
    size = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    variant = {"VariantName": "A", "ModelName": "c", "InitialVariantWeight": 10**400, **size}
    body = json.dumps({"EndpointConfigName": "d", "ProductionVariants": [variant]})
    headers = {"X-Amz-Target": "SageMaker.CreateEndpointConfig"}
    status, said = post(served, headers, body)
    assert status == 400
    assert "InitialVariantWeight" in said
