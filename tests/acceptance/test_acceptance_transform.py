"""Transform jobs: where their outputs are, what a model is sent, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from pipelines.backends.local.jobs.batch.binary import wrapped
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from tests.acceptance.definitions import refusal
from tests.acceptance.hosted import TRANSFORM, TRANSFORM_MINUTES, create_model
from tests.acceptance.target import Target


@frozen
class Transforms:
    """Two jobs that have ended: one over lines, one over RecordIO records."""

    lines: JsonObject
    records: JsonObject


def request(target: Target, model: str, what: str, split: str, **more: Json) -> JsonObject:
    """Write a CreateTransformJob request for the objects below a prefix."""
    source = {"S3DataType": "S3Prefix", "S3Uri": target.uri(f"{what}-in/")}
    return {
        "TransformJobName": target.named(what),
        "ModelName": model,
        "BatchStrategy": "SingleRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/plain",
            "SplitType": split,
        },
        "TransformOutput": {"S3OutputPath": target.uri(f"{what}-out"), "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "Tags": target.tags,
        **more,
    }


@pytest.fixture(scope="module")
def model(target: Target) -> str:
    """Create the model."""
    return create_model(target, "transformed")


@pytest.fixture(scope="module")
def ended(target: Target, model: str) -> Iterator[Transforms]:
    """Run both jobs at once; one that takes too long is stopped."""
    s3 = target.client("s3")
    s3.put_object(Bucket=target.bucket, Key="lines-in/sub/a.txt", Body=b"one\ntwo\n")
    s3.put_object(
        Bucket=target.bucket, Key="records-in/a.rec", Body=wrapped(b"one") + wrapped(b"four")
    )
    patient = replace(target, patience=min(target.patience, 60 * TRANSFORM_MINUTES))
    names = [target.named("lines"), target.named("records")]

    def described(name: str) -> JsonObject:
        return patient.settled(
            lambda: target.sagemaker.describe_transform_job(TransformJobName=name),
            "TransformJobStatus",
        )

    try:
        target.sagemaker.create_transform_job(**request(target, model, "lines", "Line"))
        target.sagemaker.create_transform_job(**request(target, model, "records", "RecordIO"))
        yield Transforms(*map(described, names))
    finally:
        for name in names:
            with suppress(ClientError):  # it has ended
                target.sagemaker.stop_transform_job(TransformJobName=name)


def output(target: Target, key: str) -> list[JsonObject]:
    """Read the lines of an output."""
    body = target.client("s3").get_object(Bucket=target.bucket, Key=key)["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


@pytest.mark.fact("3.4")
@pytest.mark.spends(TRANSFORM, TRANSFORM_MINUTES)
def test_an_output_lies_where_its_input_does_with_its_results_in_order(
    target: Target, ended: Transforms
) -> None:
    """`<key>.out` below the output path; the model knows that it is a batch."""
    assert ended.lines["TransformJobStatus"] == "Completed", ended.lines.get("FailureReason")
    results = output(target, "lines-out/sub/a.txt.out")
    assert [one["text"] for one in results] == ["one", "two"]
    assert {(one["batch"], one["strategy"]) for one in results} == {("true", "SINGLE_RECORD")}


@pytest.mark.fact("12.17")
@pytest.mark.unverified
@pytest.mark.spends(TRANSFORM, TRANSFORM_MINUTES)
def test_of_a_record_alone_the_content_is_sent(target: Target, ended: Transforms) -> None:
    """The API says that padding is removed; that the record's head is, too, is our reading."""
    assert ended.records["TransformJobStatus"] == "Completed", ended.records.get("FailureReason")
    results = output(target, "records-out/a.rec.out")
    assert [one["text"] for one in results] == ["one", "four"]


@pytest.mark.fact("2.3")
def test_what_a_transform_job_may_not_ask_for_is_refused(target: Target, model: str) -> None:
    """Payload times concurrency above 100 MB; a filter without a content type that it can read."""
    create = target.sagemaker.create_transform_job
    large = request(target, model, "large", "Line", MaxPayloadInMB=60, MaxConcurrentTransforms=2)
    assert refusal(create, **large)[0] == "ValidationException"
    filtered = request(target, model, "filtered", "Line", DataProcessing={"InputFilter": "$[1:]"})
    assert refusal(create, **filtered)[0] == "ValidationException"


@pytest.mark.fact("12.16")
def test_a_transform_job_of_no_model_is_refused(target: Target) -> None:
    """At once, and by name."""
    asked = request(target, target.named("none"), "of-none", "Line")
    code, message = refusal(target.sagemaker.create_transform_job, **asked)
    assert code == "ValidationException"
    assert f"model/{target.named('none')}" in message


@pytest.mark.fact("12.16")
def test_a_job_that_has_ended_cannot_be_stopped(target: Target, ended: Transforms) -> None:
    """The refusal names the status."""
    name = ended.lines["TransformJobName"]
    code, message = refusal(target.sagemaker.stop_transform_job, TransformJobName=name)
    assert code == "ValidationException"
    assert message == "The request was rejected because the transform job is in status Completed."
