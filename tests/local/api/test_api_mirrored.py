"""Shadow variants and data capture: who asks an endpoint notices neither."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.api.conftest import IMAGE, ROLE, Served, refusal
from tests.waiting import until

WAIT = {"Delay": 1, "MaxAttempts": 60}
SIZE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://b/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
}
BROKEN = """\
def model_fn(model_dir):
    return None
def transform_fn(model, body, content_type, accept):
    with open(LOG, "a") as log:
        log.write(f"{len(body)} bytes\\n")
    raise ValueError("the new model answers nothing")
"""


def create(served: Served, name: str, **members: Any) -> Any:
    """Create the endpoint `name`; return the client."""
    client = served.client("sagemaker")
    container = {"ModelPackageName": served.package(f"of-{name}")}
    client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variants = [{"VariantName": "A", "ModelName": name, **SIZE}]
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **members)
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    client.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=WAIT)
    return client


def ask(served: Served, name: str, body: bytes, content_type: str) -> str:
    """Send a request; return the answer."""
    client = served.client("sagemaker-runtime")
    answer = client.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type)
    return str(answer["Body"].read().decode())


def test_requests_and_answers_are_kept_in_the_services_form(served: Served) -> None:
    """By endpoint, variant and hour; text as it is, everything else as base64."""
    client = create(served, "kept", DataCaptureConfig=CAPTURE)
    ask(served, "kept", b"1,2", "text/csv")
    ask(served, "kept", b"\xff\xd8", "image/jpeg")
    described = client.describe_endpoint(EndpointName="kept")
    assert described["DataCaptureConfig"]["CurrentSamplingPercentage"] == 100
    listed = served.client("s3").list_objects_v2(Bucket="b", Prefix="captured/kept/A/")
    keys = [one["Key"] for one in listed["Contents"]]
    records = {}
    for key in keys:
        assert key.endswith(".jsonl")
        assert len(key.split("/")) == 8
        record = json.loads(served.sagemaker.objects.get_bytes(f"s3://b/{key}"))
        assert set(record) == {"captureData", "eventMetadata", "eventVersion"}
        asked = record["captureData"]["endpointInput"]
        records[asked["observedContentType"]] = record["captureData"]
    csv, jpeg = records["text/csv"], records["image/jpeg"]
    assert csv["endpointInput"] == {
        "observedContentType": "text/csv",
        "mode": "INPUT",
        "data": "1,2",
        "encoding": "CSV",
    }
    assert base64.b64decode(jpeg["endpointInput"]["data"]) == b"\xff\xd8"
    assert jpeg["endpointInput"]["encoding"] == "BASE64"
    answer = base64.b64decode(csv["endpointOutput"]["data"])
    assert answer == b"3 bytes of text/csv"


def test_a_shadow_gets_every_request_and_harms_none(served: Served, tmp_path: Path) -> None:
    """It fails at each, and the answers are those of the production variant."""
    log = tmp_path / "asked"
    client = served.client("sagemaker")
    archive = served.archive("s3://b/new.tar.gz", BROKEN.replace("LOG", repr(str(log))))
    container = {"Image": IMAGE, "ModelDataUrl": archive}
    client.create_model(ModelName="new", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    shadow = [{"VariantName": "Shadow", "ModelName": "new", **SIZE}]
    create(served, "mirrored", ShadowProductionVariants=shadow)
    described = client.describe_endpoint(EndpointName="mirrored")
    assert [one["VariantName"] for one in described["ProductionVariants"]] == ["A"]
    assert [one["VariantName"] for one in described["ShadowProductionVariants"]] == ["Shadow"]
    for size in range(5):
        answer = ask(served, "mirrored", b"x" * size, "text/csv")
        assert answer == f"{size} bytes of text/csv"
    until(lambda: log.is_file() and len(log.read_text().splitlines()) == 5)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"ShadowProductionVariants": [{"VariantName": "A", **SIZE}]}, "must be unique"),
        (
            {
                "ShadowProductionVariants": [
                    {"VariantName": name, "ModelName": "m", **SIZE} for name in "BC"
                ]
            },
            "has one of them",
        ),
    ],
)
def test_shadows_that_the_service_excludes_are_refused(
    served: Served, members: dict[str, Any], reason: str
) -> None:
    """One production and one shadow variant, with names of their own."""
    client = served.client("sagemaker")
    container = {"ModelPackageName": served.package("of-m")}
    client.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variants = [{"VariantName": "A", "ModelName": "m", **SIZE}]
    code, message, _ = refusal(
        client.create_endpoint_config,
        EndpointConfigName="c",
        ProductionVariants=variants,
        **members,
    )
    assert (code, reason in message) == ("ValidationException", True)
