"""InvokeEndpointAsync over HTTP: accepted at once, answered in the local S3."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.local.api.conftest import ROLE, Served, refusal

WAIT = {"Delay": 1, "MaxAttempts": 60}
TOPIC = "arn:aws:sns:us-east-1:000000000000:"
OUTPUT = {
    "S3OutputPath": "s3://b/answers/",
    "S3FailurePath": "s3://b/errors",
    "NotificationConfig": {"SuccessTopic": f"{TOPIC}good", "ErrorTopic": f"{TOPIC}bad"},
}
ASYNCHRONOUS = {"OutputConfig": OUTPUT, "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2}}
SIZE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def configured(served: Served, name: str, **request: Any) -> Any:
    """Create a model and a config; return the client."""
    client = served.client("sagemaker")
    container = {"ModelPackageName": served.package(f"of-{name}")}
    client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variants = [{"VariantName": "A", "ModelName": name, **request.pop("variant", SIZE)}]
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **request)
    return client


def bring_up(served: Served) -> Any:
    """Bring up the asynchronous endpoint `e`; return the client of the runtime."""
    client = configured(served, "c", AsyncInferenceConfig=ASYNCHRONOUS)
    client.create_endpoint(EndpointName="e", EndpointConfigName="c")
    client.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig=WAIT)
    return served.client("sagemaker-runtime")


def wait_for(served: Served, uri: str) -> bytes:
    """Wait with S3's own waiter until an object is there; return it."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3 = served.client("s3")
    waiter = {"Delay": 1, "MaxAttempts": 60}
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key=key, WaiterConfig=waiter)
    content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def test_each_request_leaves_an_answer_where_its_response_said(served: Served) -> None:
    """More of them than are processed at once; larger than what a real-time endpoint takes."""
    runtime = bring_up(served)
    sizes = (0, 1, 1000, 30 << 20, 5, 6)
    accepted = []
    for size in sizes:
        served.sagemaker.objects.put_bytes(f"s3://b/in/{size}", b"x" * size)
        accepted.append(
            runtime.invoke_endpoint_async(
                EndpointName="e", InputLocation=f"s3://b/in/{size}", ContentType="image/jpeg"
            )
        )
    for size, one in zip(sizes, accepted, strict=True):
        assert one["ResponseMetadata"]["HTTPStatusCode"] == 202
        assert one["OutputLocation"].startswith("s3://b/answers/")
        assert one["FailureLocation"].startswith("s3://b/errors/")
        answer = wait_for(served, one["OutputLocation"]).decode()
        assert answer == f"{size} bytes of image/jpeg"
    assert len({one["InferenceId"] for one in accepted}) == len(sizes)


def test_a_small_body_may_come_with_the_request(served: Served) -> None:
    """And the answer may have a name of one's own."""
    runtime = bring_up(served)
    one = runtime.invoke_endpoint_async(
        EndpointName="e",
        Body=b"abc",
        ContentType="text/csv",
        InferenceId="mine",
        S3OutputPathExtension="today",
        Filename="answer.txt",
        RequestTTLSeconds=60,
    )
    assert one["InferenceId"] == "mine"
    assert one["OutputLocation"] == "s3://b/answers/today/answer.txt"
    assert wait_for(served, one["OutputLocation"]) == b"3 bytes of text/csv"


def test_what_fails_leaves_an_error_and_both_ends_are_notified(served: Served) -> None:
    """SNS is not there: what it would send is a line in the variant's log."""
    runtime = bring_up(served)
    ask = runtime.invoke_endpoint_async
    lost = ask(EndpointName="e", InputLocation="s3://b/in/nothing", ContentType="text/csv")
    assert b"s3://b/in/nothing" in wait_for(served, lost["FailureLocation"])
    served.sagemaker.objects.put_bytes("s3://b/in/one", b"x")
    good = ask(EndpointName="e", InputLocation="s3://b/in/one", ContentType="text/csv")
    wait_for(served, good["OutputLocation"])
    later = ask(EndpointName="e", InputLocation="s3://b/in/one", ContentType="text/csv")
    wait_for(served, later["OutputLocation"])
    log = served.sagemaker.settings.home / "endpoints" / "e" / "A.log"
    marked = "notification to "
    lines = [one for one in log.read_text().splitlines() if one.startswith(marked)]
    sent = dict(line.removeprefix(marked).split(": ", 1) for line in lines[:2])
    failed, answered = json.loads(sent[f"{TOPIC}bad"]), json.loads(sent[f"{TOPIC}good"])
    assert (failed["invocationStatus"], failed["inferenceId"]) == ("Failed", lost["InferenceId"])
    assert answered["responseParameters"]["outputLocation"] == good["OutputLocation"]
    assert answered["requestParameters"]["inputLocation"] == "s3://b/in/one"


def test_errors_are_kept_without_a_place_for_them(served: Served) -> None:
    """Among the answers: nobody waits in vain for one."""
    output = {"OutputConfig": {"S3OutputPath": "s3://b/answers"}}
    client = configured(served, "c", AsyncInferenceConfig=output)
    client.create_endpoint(EndpointName="e", EndpointConfigName="c")
    client.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig=WAIT)
    ask = served.client("sagemaker-runtime").invoke_endpoint_async
    lost = ask(EndpointName="e", InputLocation="s3://b/in/nothing", ContentType="text/csv")
    assert lost["FailureLocation"].startswith("s3://b/answers/")
    assert b"s3://b/in/nothing" in wait_for(served, lost["FailureLocation"])


def test_each_kind_of_endpoint_takes_its_own_request(served: Served) -> None:
    """And a request has one body."""
    runtime = bring_up(served)
    configured(served, "d")
    client = served.client("sagemaker")
    client.create_endpoint(EndpointName="plain", EndpointConfigName="d")
    client.get_waiter("endpoint_in_service").wait(EndpointName="plain", WaiterConfig=WAIT)
    _, message, status = refusal(runtime.invoke_endpoint, EndpointName="e", Body=b"x")
    assert ("is asynchronous" in message, status) == (True, 400)
    ask = runtime.invoke_endpoint_async
    _, message, status = refusal(ask, EndpointName="plain", InputLocation="s3://b/x")
    assert ("is not asynchronous" in message, status) == (True, 400)
    for both in ({}, {"InputLocation": "s3://b/x", "Body": b"x"}):
        _, message, _ = refusal(ask, EndpointName="e", **both)
        assert "either InputLocation or Body" in message


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {
                "DataCaptureConfig": {
                    "InitialSamplingPercentage": 1,
                    "DestinationS3Uri": "s3://b/c",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            "DataCaptureConfig is not supported for asynchronous",
        ),
        (
            {"variant": {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}},
            "AsyncInferenceConfig is not supported for serverless",
        ),
    ],
)
def test_a_config_that_the_service_excludes_is_refused(
    served: Served, request_: dict[str, Any], message: str
) -> None:
    """FACTS 2.4, 2.5."""
    with pytest.raises(Exception, match=message):
        configured(served, "c", AsyncInferenceConfig=ASYNCHRONOUS, **request_)


def test_a_config_says_where_its_answers_are(served: Served) -> None:
    """The API's shape does not require it."""
    with pytest.raises(Exception, match="needs an S3OutputPath"):
        configured(served, "c", AsyncInferenceConfig={"OutputConfig": {}})


def test_a_number_that_is_none_is_refused(served: Served) -> None:
    """By name, whatever Python takes for digits."""
    bring_up(served)
    place = urlsplit(served.url)
    for number in ("9" * 5000, "\xb2"):
        connection = http.client.HTTPConnection(str(place.hostname), place.port)
        headers = {"X-Amzn-SageMaker-RequestTTLSeconds": number}
        connection.request("POST", "/endpoints/e/async-invocations", b"x", headers)
        answer = connection.getresponse()
        assert answer.status == 400
        assert answer.read()
        connection.close()


def test_no_update_switches_asynchronous_inference(served: Served) -> None:
    """Neither on nor off."""
    bring_up(served)
    client = configured(served, "d")
    change = {"EndpointName": "e", "EndpointConfigName": "d"}
    _, message, _ = refusal(client.update_endpoint, **change)
    assert "asynchronous inference cannot be switched off" in message
    assert client.describe_endpoint(EndpointName="e")["AsyncInferenceConfig"] == ASYNCHRONOUS
