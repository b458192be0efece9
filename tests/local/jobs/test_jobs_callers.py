"""The API of the local SageMaker, called by the jobs of its owner."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from pipelines.backends.local.api import running
from pipelines.backends.local.executors import processing
from pipelines.backends.local.sagemaker import LocalSageMaker

if TYPE_CHECKING:
    from tests.local.jobs.conftest import Local

CALL = """
import boto3
print(boto3.client("sagemaker").list_models()["Models"])
print(boto3.client("s3").list_buckets()["Buckets"])
"""


@pytest.mark.parametrize("callers", ["user", "signature"])
def test_a_job_is_its_owners_program(local: Local, callers: Literal["user", "signature"]) -> None:
    """In each way of isolation; it signs with the key in its environment."""
    settings = replace(local.settings, callers=callers)
    with LocalSageMaker(settings) as sagemaker, running(sagemaker) as api:
        call = local.call(local.processing("python3", "-c", CALL))
        processing.execute(replace(call, settings=replace(settings, api=api)))
    assert local.log(call).splitlines() == ["[]", "[]"]


def test_a_job_without_a_network_does_not_reach_it(local: Local) -> None:
    """`EnableNetworkIsolation` leaves it loopback addresses of its own."""
    if local.settings.isolation == "rewrite":
        pytest.skip("the network is shared there")
    with LocalSageMaker(local.settings) as sagemaker, running(sagemaker) as api:
        isolated = {"EnableNetworkIsolation": True}
        call = local.call(local.processing("python3", "-c", CALL, NetworkConfig=isolated))
        processing.execute(replace(call, settings=replace(local.settings, api=api)))
    assert "Could not connect to the endpoint URL" in local.log(call)
