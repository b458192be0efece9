"""An account: moto's server behind a proxy that records every call and makes bad weather."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.mends import PipelineMends
from tests.functional.aws.proxy import Proxy, listening


@pytest.fixture(scope="session")
def moto() -> Iterator[tuple[str, int]]:
    """Start moto's server once; `account` empties it for every test."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes two seconds

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def account(
    moto: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """Make an empty account with a bucket, and point boto3 at it."""
    connection = HTTPConnection(*moto)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    mends = PipelineMends()
    with listening(Proxy(moto, (mends,))) as proxy:
        environment = {
            "AWS_ENDPOINT_URL": proxy.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield Account(proxy, mends, environment)
