"""A serverless endpoint: its states, what is refused and how, what a failing model answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from tests.acceptance.definitions import refusal
from tests.acceptance.events import Events
from tests.acceptance.hosted import SERVERLESS, create_config, create_model, describe_endpoint
from tests.acceptance.target import Target, refused


@frozen
class Endpoint:
    """An endpoint that is in service.

    Args:
        created: what Describe said at once after it was created.
        settled: what it said when it was in service.
        refused: code and message of an update that was asked for meanwhile.
    """

    name: str
    config: str
    model: str
    created: JsonObject
    settled: JsonObject
    refused: tuple[str, str]


@pytest.fixture(scope="module")
def endpoint(target: Target, events: Events) -> Iterator[Endpoint]:
    """Create an endpoint, and delete it."""
    del events  # they are received from before it
    model = create_model(target, "served")
    name, config = target.named("endpoint"), create_config(target, "first", model)
    target.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, Tags=target.tags)
    try:
        created = target.sagemaker.describe_endpoint(EndpointName=name)
        more = create_config(target, "meanwhile", model, concurrency=2)
        refused = refusal(
            target.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=more
        )
        settled = describe_endpoint(target, name)
        yield Endpoint(name, config, model, created, settled, refused)
    finally:
        target.sagemaker.delete_endpoint(EndpointName=name)


def invoke(target: Target, endpoint: str, body: str) -> Any:
    """Invoke it; the SDK repeats no request."""
    return target.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="text/plain", Body=body
    )


@pytest.mark.fact("5.2")
def test_an_endpoint_is_creating_and_then_in_service(endpoint: Endpoint) -> None:
    """With the config that it was created with, and the variant of that."""
    assert endpoint.created["EndpointStatus"] == "Creating"
    assert endpoint.settled["EndpointStatus"] == "InService", endpoint.settled.get("FailureReason")
    assert endpoint.settled["EndpointConfigName"] == endpoint.config
    (variant,) = endpoint.settled["ProductionVariants"]
    assert variant["CurrentServerlessConfig"]["MemorySizeInMB"] == 2048


@pytest.mark.fact("6")
def test_an_endpoint_that_is_in_service_is_an_event(events: Events, endpoint: Endpoint) -> None:
    """The status is written in capitals there."""
    event = events.first(
        "SageMaker Endpoint State Change",
        EndpointName=endpoint.name,
        EndpointStatus="IN_SERVICE",
    )
    assert event["resources"] == [endpoint.settled["EndpointArn"]]
    assert event["detail"]["EndpointConfigName"] == endpoint.config


@pytest.mark.fact("12.16")
@pytest.mark.unverified
def test_an_endpoint_that_changes_is_not_updated(endpoint: Endpoint) -> None:
    """The text is from memory."""
    assert endpoint.refused[0] == "ValidationException"
    assert "Cannot update in-progress endpoint" in endpoint.refused[1]


@pytest.mark.fact("12.16")
def test_the_name_of_an_endpoint_is_given_once(target: Target, endpoint: Endpoint) -> None:
    """In the words that SDKs quote."""
    code, message = refusal(
        target.sagemaker.create_endpoint,
        EndpointName=endpoint.name,
        EndpointConfigName=endpoint.config,
    )
    assert code == "ValidationException"
    arn = endpoint.settled["EndpointArn"]
    assert f'Cannot create already existing endpoint "{arn}"' in message


@pytest.mark.fact("12.16")
def test_the_name_of_a_config_is_given_once(target: Target, endpoint: Endpoint) -> None:
    """Also when it says the same."""
    error = refused(lambda: create_config(target, "first", endpoint.model))["Error"]
    assert error["Code"] == "ValidationException"
    assert "Cannot create already existing endpoint configuration" in error["Message"]


@pytest.mark.fact("12.16")
def test_an_endpoint_that_is_not_there_is_not_found(target: Target) -> None:
    """By Describe and Create in one word, by Invoke in another, which names the account."""
    code, message = refusal(target.sagemaker.describe_endpoint, EndpointName=target.named("none"))
    assert code == "ValidationException"
    assert "Could not find endpoint" in message
    code, message = refusal(
        target.sagemaker.create_endpoint,
        EndpointName=target.named("none"),
        EndpointConfigName=target.named("none"),
    )
    assert code == "ValidationException"
    assert "Could not find endpoint configuration" in message
    error = refused(lambda: invoke(target, target.named("none"), "{}"))["Error"]
    account = target.role.split(":")[4]
    assert error["Code"] == "ValidationError"
    assert error["Message"] == f"Endpoint {target.named('none')} of account {account} not found."


@pytest.mark.fact("11.2")
@pytest.mark.spends(SERVERLESS, 5)
def test_a_model_that_fails_is_a_model_error(target: Target, endpoint: Endpoint) -> None:
    """The response of the container is in it; what the model answers otherwise is the body."""
    answer = json.loads(invoke(target, endpoint.name, "good")["Body"].read())
    assert (answer["text"], answer["batch"]) == ("good", None)
    response = refused(lambda: invoke(target, endpoint.name, "fail"))
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 500


@pytest.mark.fact("2.4")
@pytest.mark.unverified
@pytest.mark.spends(SERVERLESS, 1)
def test_a_payload_of_more_than_four_megabytes_is_refused(
    target: Target, endpoint: Endpoint
) -> None:
    """The code is not documented."""
    response = refused(lambda: invoke(target, endpoint.name, "x" * ((4 << 20) + 1)))
    assert response["Error"]["Code"] == "ValidationError"


@pytest.mark.fact("5.2")
@pytest.mark.spends(SERVERLESS, 1)
def test_an_update_changes_the_config_and_the_endpoint_answers(
    target: Target, endpoint: Endpoint
) -> None:
    """Updating, then InService with the other config; the config in use is refused."""
    code, _ = refusal(
        target.sagemaker.update_endpoint,
        EndpointName=endpoint.name,
        EndpointConfigName=endpoint.config,
    )
    assert code == "ValidationException"
    config = create_config(target, "second", endpoint.model, concurrency=2)
    target.sagemaker.update_endpoint(EndpointName=endpoint.name, EndpointConfigName=config)
    described = target.sagemaker.describe_endpoint(EndpointName=endpoint.name)
    assert described["EndpointStatus"] == "Updating"
    settled = describe_endpoint(target, endpoint.name)
    assert (settled["EndpointStatus"], settled["EndpointConfigName"]) == ("InService", config)
    assert json.loads(invoke(target, endpoint.name, "good")["Body"].read())["text"] == "good"
