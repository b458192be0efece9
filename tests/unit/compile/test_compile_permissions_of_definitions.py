"""What any definition needs of its roles: by the types of its steps, and by their arguments."""

from __future__ import annotations

import json

import pytest

from pipelines.compile.grants import Condition, Permission
from pipelines.compile.model import Compiled
from pipelines.compile.permissions import permissions
from pipelines.json_types import Json, JsonObject
from pipelines.spec.model import Aws

SAGEMAKER = "arn:aws:sagemaker:eu-central-1:123456789012"
JOBS, DEPLOYER = (f"arn:aws:iam::123456789012:role/{name}" for name in ("jobs", "deployer"))


def _derived(steps: list[JsonObject], key: str | None = None) -> tuple[Permission, ...]:
    text = json.dumps({"Version": "2020-12-01", "Steps": steps})
    account = Aws(role=JOBS, bucket="team", region="eu-central-1", kms_key=key)
    return permissions(Compiled("churn", {"churn": text}, (), ()), account)


def _of_definition(
    steps: list[JsonObject], key: str | None = None
) -> dict[tuple[str, str], tuple[str, ...]]:
    """(role, action) → resources, of a definition."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for one in _derived(steps, key):
        name = (one.role.rpartition("/")[2], one.action)
        found[name] = (*found.get(name, ()), *one.resources)
    return found


def test_what_an_earlier_step_wrote_is_read_where_that_one_writes() -> None:
    """A training job names its archive nowhere: only where its output goes."""
    output = {"S3OutputPath": "s3://team/churn/runs"}
    train = {"Name": "train", "Type": "Training", "Arguments": {"OutputDataConfig": output}}
    source = {"S3Uri": {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"}}
    arguments = {"RoleArn": JOBS, "ProcessingInputs": [{"InputName": "m", "S3Input": source}]}
    evaluate = {"Name": "evaluate", "Type": "Processing", "Arguments": arguments}
    found = _of_definition([train, evaluate])
    assert found["jobs", "s3:GetObject"] == ("arn:aws:s3:::team/churn/runs*",)


def test_steps_of_other_services_are_on_what_they_name() -> None:
    """A function, a queue by its URL; a parameter could name any function of the account."""
    function = "arn:aws:lambda:eu-central-1:123456789012:function:notify"
    queue = "https://sqs.eu-central-1.amazonaws.com/123456789012/answers"
    given = {"Get": "Parameters.function"}
    steps: list[JsonObject] = [
        {"Name": "a", "Type": "Lambda", "FunctionArn": function, "Arguments": {}},
        {"Name": "b", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}},
        {"Name": "c", "Type": "Lambda", "FunctionArn": given, "Arguments": {}},
    ]
    found = _of_definition(steps)
    assert found["jobs", "lambda:InvokeFunction"] == (function,)
    assert _of_definition(steps[2:])["jobs", "lambda:InvokeFunction"] == ()
    assert found["jobs", "sqs:SendMessage"] == ("arn:aws:sqs:eu-central-1:123456789012:answers",)


def test_a_role_that_is_passed_stands_anywhere_in_the_arguments() -> None:
    """A Model has no job; one that is a parameter is known to nobody."""
    model = {"Name": "m", "Type": "Model", "Arguments": {"ExecutionRoleArn": DEPLOYER}}
    assert _of_definition([model])["jobs", "iam:PassRole"] == (DEPLOYER,)
    arguments = {"ExecutionRoleArn": {"Get": "Parameters.role"}}
    parameter = {"Name": "m", "Type": "Model", "Arguments": arguments}
    assert _of_definition([parameter])["jobs", "iam:PassRole"] == ()


def test_names_in_capitals_stand_in_small_letters_too() -> None:
    """ARNs of SageMaker have been seen with either."""
    step = {"Name": "e", "Type": "Endpoint", "Arguments": {"EndpointName": "Churn"}}
    deleted = _of_definition([step])["jobs", "sagemaker:DescribeEndpoint"]
    assert deleted == (f"{SAGEMAKER}:endpoint/Churn", f"{SAGEMAKER}:endpoint/churn")


def _training(source: JsonObject, **more: Json) -> list[JsonObject]:
    channel = {"ChannelName": "rows", "DataSource": source}
    arguments = {"RoleArn": JOBS, "InputDataConfig": [channel], **more}
    return [{"Name": "train", "Type": "Training", "Arguments": arguments}]


def _unknown(steps: list[JsonObject]) -> list[str]:
    return [one.action for one in _derived(steps) if not one.resources]


def test_a_file_system_is_no_object_of_s3() -> None:
    """It is mounted: nothing of S3 is read, known or not."""
    source = {"FileSystemId": "fs-1", "DirectoryPath": "/rows"}
    assert _unknown(_training({"FileSystemDataSource": source})) == []


@pytest.mark.parametrize(
    "uri",
    [
        {"Get": "Parameters.rows"},
        {"Std:Join": {"On": "", "Values": ["s3://", {"Get": "Parameters.bucket"}, "/rows/"]}},
        {"Std:Join": {"On": "", "Values": ["s3://lake-", {"Get": "Parameters.bucket"}]}},
    ],
)
def test_data_in_a_bucket_that_only_a_start_names_is_not_known(uri: Json) -> None:
    """Its beginning would allow other buckets, or all of them."""
    steps = _training({"S3DataSource": {"S3Uri": uri}})
    assert _unknown(steps) == ["s3:GetObject"]
    assert ("jobs", "s3:GetObject") in _of_definition(steps)
    assert _of_definition(steps)["jobs", "s3:GetObject"] == ()
    written = _training({}, OutputDataConfig={"S3OutputPath": uri})[0]
    del written["Arguments"]["InputDataConfig"]
    assert _unknown([written]) == ["s3:PutObject"]


def test_a_manifest_names_objects_that_are_not_known() -> None:
    """The manifest itself is; what it lists lies anywhere."""
    for kind in ("ManifestFile", "AugmentedManifestFile"):
        source = {"S3DataType": kind, "S3Uri": "s3://lake/rows.manifest"}
        steps = _training({"S3DataSource": source})
        assert _unknown(steps) == ["s3:GetObject"]
        assert _of_definition(steps)["jobs", "s3:GetObject"] == (
            "arn:aws:s3:::lake/rows.manifest*",
        )


def test_a_whole_bucket_is_that_bucket_alone() -> None:
    """`lake*` would be the objects of `lake-of-somebody` too; it is listed without a prefix."""
    steps = _training({"S3DataSource": {"S3Uri": "s3://lake"}})
    assert _of_definition(steps)["jobs", "s3:GetObject"] == ("arn:aws:s3:::lake/*",)
    (listing,) = (one for one in _derived(steps) if one.action == "s3:ListBucket")
    assert listing.conditions == ()


def test_a_job_writes_below_its_output_and_a_star_is_no_wildcard() -> None:
    """`scores*` would be `scores-of-others` too; inputs alone are read by prefix."""
    source = {"S3DataSource": {"S3Uri": "s3://lake/rows*?$"}}
    output = {"OutputDataConfig": {"S3OutputPath": "s3://team/scores*"}}
    found = _of_definition(_training(source, **output))
    assert found["jobs", "s3:GetObject"] == ("arn:aws:s3:::lake/rows${*}${?}${$}*",)
    assert found["jobs", "s3:PutObject"] == ("arn:aws:s3:::team/scores${*}/*",)
    uri = {"Std:Join": {"On": "", "Values": ["s3://team/scores-", {"Get": "Parameters.day"}]}}
    part = _of_definition(_training(source, OutputDataConfig={"S3OutputPath": uri}))
    assert part["jobs", "s3:PutObject"] == ("arn:aws:s3:::team/scores-*",)


def test_a_job_lists_what_it_reads_and_nothing_beside_it() -> None:
    """Names of other pipelines' data are none of its business."""
    steps = _training({"S3DataSource": {"S3Uri": "s3://lake/rows/2024/"}})
    (listing,) = (one for one in _derived(steps) if one.action == "s3:ListBucket")
    assert listing.conditions == (Condition("StringLike", "s3:prefix", ("rows/2024/*",)),)


def test_an_image_that_only_a_start_names_is_not_known() -> None:
    """No repository stands in a policy then, and pulling would fail."""
    image = {"TrainingImage": {"Get": "Parameters.image"}}
    assert _unknown(_training({}, AlgorithmSpecification=image)) == [
        "ecr:BatchGetImage",
        "s3:GetObject",
    ]


def test_who_reads_in_an_encrypted_bucket_needs_its_key() -> None:
    """The pipeline's role too, whose steps name no key: S3 decrypts as its caller."""
    data = "s3://team/churn/packages/a/model.tar.gz"
    container = {"Image": "busybox", "ModelDataUrl": data}
    arguments = {
        "ModelPackageGroupName": "churn",
        "InferenceSpecification": {"Containers": [container]},
    }
    steps: list[JsonObject] = [{"Name": "r", "Type": "RegisterModel", "Arguments": arguments}]
    key = "arn:aws:kms:eu-central-1:123456789012:key/1a"
    assert _of_definition(steps, key)["jobs", "kms:Decrypt"] == (key,)
    assert ("jobs", "kms:Decrypt") not in _of_definition(steps)
    assert _unknown(steps) == []


def test_the_role_of_a_job_document_is_passed_to_the_service_of_these() -> None:
    """Not to sagemaker.amazonaws.com, as those of all other jobs."""
    steps: list[JsonObject] = [{"Name": "j", "Type": "Job", "Arguments": {"RoleArn": JOBS}}]
    (passed,) = (one for one in _derived(steps) if one.action == "iam:PassRole")
    assert passed.conditions[0].values == ("job.sagemaker.amazonaws.com",)
