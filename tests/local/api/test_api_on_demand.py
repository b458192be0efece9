"""The API that a run's jobs call: started by the first call, or excused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.backends.local.api import on_demand
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from tests.local.api.conftest import Served, refusal


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Served]:
    """Listen for the first call."""
    settings = LocalSettings(tmp_path / ".pipelines", Path(sys.executable))
    with LocalSageMaker(settings) as sagemaker, on_demand(sagemaker) as api:
        yield Served(sagemaker, api.url)


def test_the_first_call_starts_it(waiting: Served) -> None:
    """The caller waits no longer than the start takes."""
    assert waiting.client("sagemaker").list_models()["Models"] == []
    assert waiting.client("s3").list_buckets()["Buckets"] == []


def test_every_client_is_told_what_is_not_installed(
    waiting: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the words of its own protocol, so that the job's failure says it."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    said = (
        "the local API needs uvicorn, which is not installed;"
        " pip install 'boto3>=1.44' 'httptools>=0.6' 'uvicorn>=0.30' 'uvloop>=0.21'"
    )
    for service, operation, request in (
        ("sagemaker", "list_models", {}),
        ("s3", "list_buckets", {}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"x" * 100_000}),
    ):
        method = getattr(waiting.client(service), operation)
        assert refusal(method, **request) == ("NotInstalled", said, 501)
