"""InvokeEndpoint over HTTP: what reaches the model, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.api.conftest import Served, refusal

WAIT = {"Delay": 1, "MaxAttempts": 60}
SERVERLESS = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
MEGABYTE = 1 << 20


def bring_up(served: Served, **variant: object) -> Any:
    """Bring up the endpoint `e` and give the client of the runtime."""
    served.config("c", **variant)
    client = served.client("sagemaker")
    client.create_endpoint(EndpointName="e", EndpointConfigName="c")
    client.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig=WAIT)
    return served.client("sagemaker-runtime")


def test_a_request_reaches_the_model_whole(served: Served) -> None:
    """Body, content type and Accept; also a body that is too large for some buffer on the way."""
    runtime = bring_up(served)
    for size in (0, 1, 5 * MEGABYTE, 9 * MEGABYTE, 24 * MEGABYTE):
        answer = runtime.invoke_endpoint(
            EndpointName="e", Body=b"x" * size, ContentType="application/octet-stream"
        )
        assert answer["Body"].read().decode() == f"{size} bytes of application/octet-stream"
        assert answer["InvokedProductionVariant"] == "A"
        assert answer["ContentType"] == "text/plain"


def test_a_serverless_endpoint_takes_four_megabytes(served: Served) -> None:
    """One byte more is refused, and so is a body of many times that."""
    runtime = bring_up(served, ServerlessConfig=SERVERLESS)
    most = 4 * MEGABYTE
    answer = runtime.invoke_endpoint(EndpointName="e", Body=b"x" * most, ContentType="text/plain")
    assert answer["Body"].read().startswith(b"4194304 bytes")
    for size in (most + 1, 5 * MEGABYTE, 20 * MEGABYTE):
        code, message, status = refusal(runtime.invoke_endpoint, EndpointName="e", Body=b"x" * size)
        assert (code, status) == ("ValidationError", 400)
        assert message == f"the body has {size} bytes; a serverless endpoint takes at most {most}"


def test_a_real_time_endpoint_says_what_it_takes(served: Served) -> None:
    """25 MB, as the service's guide has it."""
    runtime = bring_up(served)
    size = 25 * MEGABYTE + 1
    code, message, status = refusal(runtime.invoke_endpoint, EndpointName="e", Body=b"x" * size)
    assert (code, status) == ("ValidationError", 400)
    assert "a real-time endpoint takes at most 26214400" in message


@pytest.mark.parametrize("name", ["nobody", "other"])
def test_an_endpoint_that_is_not_there_is_named(served: Served, name: str) -> None:
    """With the service's code, which boto3 has a class for."""
    runtime = served.client("sagemaker-runtime")
    with pytest.raises(ClientError, match=f"Endpoint {name} of account 000000000000 not found"):
        runtime.invoke_endpoint(EndpointName=name, Body=b"x")
