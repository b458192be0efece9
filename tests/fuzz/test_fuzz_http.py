"""Damaged requests to the local API are refused with a code, never with a traceback or a hang."""

from __future__ import annotations

import json
import logging
import random
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipelines.backends.local.api import bodies, running
from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.hosting.values import FleetSpec, Invocation, InvocationResponse
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.waiting import Waiting
from tests.fuzz.budget import LONGEST, Stopwatch, sources
from tests.fuzz.http_requests import RawRequest, damaged, record
from tests.fuzz.mutations import text_mutated

pytestmark = pytest.mark.no_cover

_LOGGERS = ("pipelines.api", "uvicorn.error", "asyncio")
_SILENCE = 0.25
"""Seconds without a response after which the client has nothing more to send."""

_NOT_IMPLEMENTED = 501


@dataclass
class EchoFleet:
    """A fleet that returns what it gets, as a response that a container may make."""

    stub: str | None = None

    async def answer(self, invocation: Invocation, _waiting: Waiting) -> InvocationResponse:
        """Respond."""
        custom = {"x-amzn-sagemaker-custom-attributes": "\x1b[2J\u20ac"}
        return InvocationResponse(200, invocation.body, invocation.content_type, custom)

    def stop(self) -> None:
        """Stop."""

    def interrupt(self) -> None:
        """Nothing takes long."""


def start_fleet(spec: FleetSpec, *, proven: bool) -> EchoFleet:
    """Start a fake, whatever the container is."""
    del spec, proven
    return EchoFleet()


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve a local SageMaker that does not wait long for a client."""
    monkeypatch.setattr(bodies, "PATIENCE_SECONDS", _SILENCE)
    monkeypatch.setattr(bodies, "_LINGER_SECONDS", 0.05)
    settings = LocalSettings(tmp_path / ".pipelines", Path(sys.executable))
    parts = EngineParts(start_fleet=start_fleet)
    with LocalSageMaker(settings, parts) as sagemaker, running(sagemaker) as api:
        yield api.url


def send(place: tuple[str, int], request: bytes) -> bytes:
    """Send bytes and return what comes back until the server closes."""
    with socket.create_connection(place) as connection:
        connection.settimeout(5 * LONGEST)
        received = bytearray()
        try:
            connection.sendall(request)
            if not select.select([connection], [], [], 2 * _SILENCE)[0]:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
                if not select.select([connection], [], [], 0)[0]:
                    connection.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # refused before all of it was sent
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
    return bytes(received)


def fault_of(response: bytes) -> str | None:
    """Return what is wrong with a response; None if nothing is."""
    if not response:
        return None  # the request was not complete
    head, _, body = response.partition(b"\r\n\r\n")
    version, _, rest = head.partition(b" ")
    status = int(rest[:3])
    if not version.startswith(b"HTTP/1."):
        return "no HTTP"
    if status == _NOT_IMPLEMENTED and (not body or b"<Code>NotImplemented</Code>" in body):
        return None  # S3's own code; the response to a HEAD has no body
    if b"Traceback" in body or status >= 500:
        return f"status {status}"
    return None


def _wire(request: RawRequest, source: random.Random) -> bytes:
    """Write a request; one in eight is damaged as bytes, too."""
    written = request.encoded()
    if source.random() < 0.125:
        return text_mutated(written.decode("latin-1"), source).encode("utf-8", "surrogatepass")
    return written


def test_a_damaged_request_is_refused_with_a_code(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No status of a bug, nothing in the log, and no more than a moment."""
    caplog.set_level(logging.ERROR)
    parts = urlsplit(url)
    place = str(parts.hostname), parts.port or 0
    corpus = record(url)
    assert len({(one.method, one.target, one.body) for one in corpus}) > 60
    for seed, source in sources():
        request = damaged(source.choice(corpus), source)
        written = _wire(request, source)
        began = time.monotonic()
        with Stopwatch() as watch:
            response = send(place, written)
        spent = time.monotonic() - began
        assert watch.seconds < LONGEST, (seed, request)
        assert spent < 10 * LONGEST, (seed, request)  # it waits for nothing that never comes
        assert fault_of(response) is None, (seed, request, response[:500])
        records = [one for one in caplog.records if one.name in _LOGGERS]
        assert records == [], (seed, request, caplog.text[-3000:])
    assert json.loads(send(place, _sound(place)).partition(b"\r\n\r\n")[2]) is not None


def _sound(place: tuple[str, int]) -> bytes:
    headers = (("X-Amz-Target", "SageMaker.ListModels"), ("Connection", "close"))
    host = f"{place[0]}:{place[1]}"
    return RawRequest("POST", "/", headers, b"{}", None, host).encoded()
