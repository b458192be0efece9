"""What a version consists of, and the request that registers it elsewhere."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.account.promotion.content import (
    content_digest,
    files_of,
    images_of,
    model_digest,
    regions_of,
    replaced,
    request_of,
    with_origin,
)
from pipelines.errors import UsageError
from pipelines.json_types import JsonObject

CONTAINER: JsonObject = {
    "Image": "i",
    "ImageDigest": "sha256:1",
    "ModelDataUrl": "s3://b/model.tar.gz",
    "ModelDataETag": '"e1"',
    "Environment": {"CODE": "s3://b/code.tar.gz", "ETag": "mine"},
    "AdditionalModelDataSources": [
        {"ChannelName": "c", "S3DataSource": {"S3Uri": "s3://b/more/", "ETag": "e2"}}
    ],
}
PACKAGE: JsonObject = {
    "ModelPackageGroupName": "g",
    "ModelPackageVersion": 7,
    "ModelPackageArn": "arn:aws:sagemaker:us-east-1:111122223333:model-package/g/7",
    "ModelPackageStatus": "Completed",
    "ModelApprovalStatus": "Approved",
    "ApprovalDescription": "fine",
    "CreatedBy": {},
    "InferenceSpecification": {"Containers": [CONTAINER], "SupportedContentTypes": ["a/b"]},
    "AdditionalInferenceSpecifications": [
        {"Name": "gpu", "Containers": [{"Image": "j", "ModelDataUrl": "s3://b/gpu.tar.gz"}]}
    ],
    "ModelMetrics": {
        "Bias": {
            "Report": {"ContentType": "a/b", "S3Uri": "s3://b/bias", "ContentDigest": "SHA256:AB"}
        }
    },
    "DriftCheckBaselines": {"Bias": {"ConfigFile": {"S3Uri": "s3://b/config"}}},
    "SamplePayloadUrl": "s3://b/sample.json",
    "SourceUri": "s3://b/source",
    "MetadataProperties": {"CommitId": "abc", "ProjectId": "p"},
    "CustomerMetadataProperties": {"report": "s3://b/kept-as-text"},
    "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft", "extra": 1},
    "ModelLifeCycle": {"Stage": "prod"},
    "SecurityConfig": {"KmsKeyId": "source-key"},
}


def test_everything_that_a_version_names_in_s3_is_found() -> None:
    """In containers, their variables, metrics, baselines; with what was recorded of it."""
    files = files_of(request_of(PACKAGE))
    assert {one.uri: (one.etag, one.digest) for one in files} == {
        "s3://b/model.tar.gz": ("e1", None),
        "s3://b/code.tar.gz": (None, None),
        "s3://b/more/": ("e2", None),
        "s3://b/gpu.tar.gz": (None, None),
        "s3://b/bias": (None, "ab"),
        "s3://b/config": (None, None),
        "s3://b/sample.json": (None, None),
    }
    assert sorted(images_of(request_of(PACKAGE)).values()) == ["i", "j"]


def test_what_belongs_to_the_sources_account_stays_there() -> None:
    """Approval, life cycle, key, project; metadata is kept as it is."""
    request = request_of(PACKAGE)
    gone = {"ModelApprovalStatus", "ApprovalDescription", "ModelLifeCycle", "SecurityConfig"}
    assert not {*gone, "SourceUri", "CreatedBy", "ModelPackageArn"} & {*request}
    assert request["MetadataProperties"] == {"CommitId": "abc"}
    assert request["ModelCard"] == {"ModelCardContent": "{}", "ModelCardStatus": "Draft"}
    assert request["CustomerMetadataProperties"] == PACKAGE["CustomerMetadataProperties"]


def test_the_request_names_only_what_is_in_the_target() -> None:
    """URIs and images are replaced, digests set, what the service records is removed."""
    before = copy.deepcopy(PACKAGE)
    request = request_of(PACKAGE)
    texts = {one.place: f"s3://target/{number}" for number, one in enumerate(files_of(request))}
    texts.update(dict.fromkeys(images_of(request), "image-there"))
    made = replaced(request, texts, {one.place: "ff" for one in files_of(request)})
    assert {one.uri.rpartition("/")[0] for one in files_of(made)} == {"s3://target"}
    assert set(images_of(made).values()) == {"image-there"}
    (container,) = made["InferenceSpecification"]["Containers"]
    assert not {"ImageDigest", "ModelDataETag"} & {*container}
    assert container["Environment"]["ETag"] == "mine"
    assert made["ModelMetrics"]["Bias"]["Report"]["ContentDigest"] == "sha256:ff"
    assert before == PACKAGE


@pytest.mark.parametrize("member", ["HubAccessConfig", "ManifestS3Uri", "ProductId"])
def test_what_cannot_be_copied_is_refused(member: str) -> None:
    """A member anywhere in a container counts; a variable of that name is the user's own."""
    package = copy.deepcopy(PACKAGE)
    (container,) = package["InferenceSpecification"]["Containers"]
    container["Environment"][member] = "x"
    request_of(package)
    container["ModelDataSource"] = {"S3DataSource": {member: {}}}
    with pytest.raises(UsageError, match=f"g/7 .* cannot be copied .`{member}`"):
        request_of(package)


def test_the_region_that_an_sdk_wrote_into_a_container_is_found() -> None:
    """SAGEMAKER_REGION, where it is that of the source; what else looks like it is text."""
    package = copy.deepcopy(PACKAGE)
    (container,) = package["InferenceSpecification"]["Containers"]
    container["Environment"].update(SAGEMAKER_REGION="us-east-1", OTHER="us-east-1")
    request = request_of(package)
    place = ("InferenceSpecification", "Containers", 0, "Environment", "SAGEMAKER_REGION")
    assert regions_of(request, "us-east-1") == (place,)
    assert regions_of(request, "eu-west-1") == ()


def test_the_order_of_a_response_is_no_part_of_the_digest() -> None:
    """The service keeps no order among variables."""
    request = request_of(PACKAGE)
    digests = {one.place: one.uri for one in files_of(request)}
    reverse = dict(reversed(digests.items()))
    assert content_digest(request, digests) == content_digest(request, reverse)
    assert model_digest(digests) == model_digest(reverse)


def test_a_version_made_of_an_algorithm_is_refused() -> None:
    """The algorithm is a resource of the source's account."""
    algorithm = {"SourceAlgorithms": [{"AlgorithmName": "arn:x"}]}
    with pytest.raises(UsageError, match="is made of an algorithm resource"):
        request_of({**PACKAGE, "SourceAlgorithmSpecification": algorithm})


def test_a_version_with_too_many_properties_is_refused() -> None:
    """Fifty are allowed; three are added."""
    request = {"CustomerMetadataProperties": {f"k{number}": "v" for number in range(48)}}
    with pytest.raises(UsageError, match="48 metadata properties; 50 are allowed"):
        with_origin(request, PACKAGE, {"promoted.content": "a", "promoted.model": "b"})


@given(st.sampled_from(["model", "code", "gpu"]), st.binary(min_size=1, max_size=4))
def test_the_digest_follows_what_is_served_and_nothing_else(which: str, content: bytes) -> None:
    """Another byte in what is served is another version; another metric or description is not."""
    request = request_of(PACKAGE)
    files = files_of(request)
    digests = {one.place: one.uri for one in files}
    metric = next(one.place for one in files if "bias" in one.uri)
    served = next(one.place for one in files if f"/{which}.tar" in one.uri)
    digest, model = content_digest(request, digests), model_digest(digests)
    other = {**digests, metric: content.hex()}
    assert content_digest({**request, "ModelPackageDescription": "x"}, other) == digest
    assert model_digest(other) == model
    changed = {**digests, served: content.hex()}
    assert content_digest(request, changed) != digest
    assert model_digest(changed) != model
