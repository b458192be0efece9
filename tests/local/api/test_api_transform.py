"""Batch transform jobs, by stock boto3 over HTTP."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from pipelines.backends.local.jobs.kind import require_kind
from tests.local.api.conftest import IMAGE, ROLE, Served, refusal
from tests.waiting import until

WAIT = {"Delay": 1, "MaxAttempts": 60}
MODEL = """\
import json, os
def model_fn(model_dir):
    if "LOADS" in os.environ:
        import time
        print("loads slowly", flush=True)
        time.sleep(600)
    return int(os.environ.get("ADD", "0"))
def transform_fn(model, body, content_type, accept):
    text = body.decode() if isinstance(body, bytes) else body
    if "slow" in text:
        import time
        print("has a slow row", flush=True)
        time.sleep(600)
    if "bad" in text:
        raise ValueError("bad row")
    if content_type == "application/json":
        return json.dumps({"sum": sum(json.loads(text)["x"]) + model}), accept
    rows = [line.split(",") for line in text.splitlines()]
    return "\\n".join(str(sum(map(int, row)) + model) for row in rows), accept
"""


@pytest.fixture
def client(served: Served) -> Any:
    """Return a client of a local SageMaker with the model `adder`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("code/inference.py")
        entry.size = len(MODEL)
        archive.addfile(entry, io.BytesIO(MODEL.encode()))
    served.sagemaker.objects.put_bytes("s3://b/adder.tar.gz", buffer.getvalue())
    client = served.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": "s3://b/adder.tar.gz"}
    client.create_model(ModelName="adder", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return client


def transform(name: str, content_type: str = "text/csv", **more: Any) -> dict[str, Any]:
    """Write a CreateTransformJob request; `source` and `output` go into input and output."""
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in/"}
    return {
        "TransformJobName": name,
        "ModelName": "adder",
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": content_type,
            **more.pop("source", {"SplitType": "Line"}),
        },
        "TransformOutput": {
            "S3OutputPath": "s3://b/out",
            "Accept": content_type,
            **more.pop("output", {"AssembleWith": "Line"}),
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    }


def ended(client: Any, name: str) -> dict[str, Any]:
    """Wait for a job and describe it."""
    waiter = client.get_waiter("transform_job_completed_or_stopped")
    with suppress(WaiterError):
        waiter.wait(TransformJobName=name, WaiterConfig=WAIT)
    described: dict[str, Any] = client.describe_transform_job(TransformJobName=name)
    return described


@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
def test_each_object_of_a_prefix_becomes_one_output(
    served: Served, client: Any, strategy: str
) -> None:
    """`<key>.out` at the same place below the output path, results in the order of the records."""
    rows = [f"{n},1" for n in range(200)]
    store = served.sagemaker.objects
    store.put_bytes("s3://b/in/a.csv", ("\n".join(rows) + "\n").encode())
    store.put_bytes("s3://b/in/sub/b.csv", b"5,6")
    client.create_transform_job(
        **transform(
            "t", BatchStrategy=strategy, MaxConcurrentTransforms=2, Environment={"ADD": "1"}
        )
    )
    job = ended(client, "t")
    assert job["TransformJobStatus"] == "Completed", job
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    assert store.get_bytes("s3://b/out/a.csv.out").decode() == "".join(
        f"{n + 2}\n" for n in range(200)
    )
    assert store.get_bytes("s3://b/out/sub/b.csv.out") == b"12\n"
    (listed,) = client.list_transform_jobs(StatusEquals="Completed")["TransformJobSummaries"]
    assert listed["TransformJobName"] == "t"


def test_without_a_split_the_object_is_one_request(served: Served, client: Any) -> None:
    """And its output is the response as it is; a gzip object is unpacked first."""
    store = served.sagemaker.objects
    store.put_bytes("s3://b/in/a.csv.gz", gzip.compress(b"1,2\n3,4\n"))
    client.create_transform_job(**transform("t", source={"CompressionType": "Gzip"}, output={}))
    assert ended(client, "t")["TransformJobStatus"] == "Completed"
    assert store.get_bytes("s3://b/out/a.csv.gz.out") == b"3\n7"


def test_csv_is_filtered_and_joined(served: Served, client: Any) -> None:
    """The id is not sent, and stands before the result in the output."""
    store = served.sagemaker.objects
    store.put_bytes("s3://b/in/a.csv", b'"x,1",1,2\ny,3,4\n')
    data = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    client.create_transform_job(**transform("t", DataProcessing=data))
    job = ended(client, "t")
    assert job["TransformJobStatus"] == "Completed", job
    assert job["DataProcessing"] == data
    assert store.get_bytes("s3://b/out/a.csv.out") == b'"x,1",3\ny,7\n'


def test_json_is_joined_under_sagemakers_attribute(served: Served, client: Any) -> None:
    """A line is a record; the result is `SageMakerOutput` of the input."""
    store = served.sagemaker.objects
    store.put_bytes("s3://b/in/a.jsonl", b'{"id": 1, "x": [1, 2]}\n{"id": 2, "x": [3]}\n')
    data = {"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    client.create_transform_job(
        **transform("t", "application/json", BatchStrategy="SingleRecord", DataProcessing=data)
    )
    job = ended(client, "t")
    assert job["TransformJobStatus"] == "Completed", job
    lines = store.get_bytes("s3://b/out/a.jsonl.out").decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": 1, "SageMakerOutput": {"sum": 3}},
        {"id": 2, "SageMakerOutput": {"sum": 3}},
    ]


def test_an_object_that_the_model_refuses_fails_the_job_and_has_no_output(
    served: Served, client: Any
) -> None:
    """What was processed as a whole is stored all the same, as in the service."""
    store = served.sagemaker.objects
    store.put_bytes("s3://b/in/a.csv", b"1,1\nbad\n")
    store.put_bytes("s3://b/in/b.csv", b"1,1\n")
    config = {"InvocationsMaxRetries": 1}
    client.create_transform_job(**transform("t", ModelClientConfig=config))
    job = ended(client, "t")
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: s3://b/in/a.csv: Bad HTTP status")
    assert "bad row" in job["FailureReason"]
    assert not store.exists("s3://b/out/a.csv.out")
    assert store.exists("s3://b/out/b.csv.out")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"MaxPayloadInMB": 1}, "Too much data for max payload size"),
        ({"source": {"SplitType": "TFRecord"}}, "the checksum of a length does not match"),
        ({"source": {"SplitType": "RecordIO"}}, "a record has no magic number"),
        (
            {"source": {"SplitType": "RecordIO"}, "DataProcessing": {"InputFilter": "$[1:]"}},
            "cannot read records of the split type RecordIO",
        ),
        ({"DataProcessing": {"InputFilter": "$.."}}, "is not a JSONPath"),
        ({"DataProcessing": {"OutputFilter": "$[9]"}}, "none at 9"),
    ],
)
def test_what_cannot_be_transformed_fails_with_the_reason(
    served: Served, client: Any, more: dict[str, Any], said: str
) -> None:
    """As the service does: the job is created and fails."""
    big = "1" * (2 << 20) if "MaxPayloadInMB" in more else "1,2"
    served.sagemaker.objects.put_bytes("s3://b/in/a.csv", big.encode())
    client.create_transform_job(**transform("t", **more))
    job = ended(client, "t")
    assert job["TransformJobStatus"] == "Failed"
    assert said in job["FailureReason"]


@pytest.mark.parametrize(
    ("environment", "said"), [({}, "has a slow row"), ({"LOADS": "1"}, "loads slowly")]
)
def test_stop_does_not_wait_for_the_model(
    served: Served, client: Any, environment: dict[str, str], said: str
) -> None:
    """A request, or a loading, that takes minutes is cut off."""
    served.sagemaker.objects.put_bytes("s3://b/in/a.csv", b"slow\n")
    client.create_transform_job(**transform("t", Environment=environment))
    log = served.sagemaker.settings.home / "logs/transform-job/t/1/algo-1.log"
    until(lambda: log.exists() and said in log.read_text())
    job = client.describe_transform_job(TransformJobName="t")
    assert job["TransformJobStatus"] == "InProgress"
    client.stop_transform_job(TransformJobName="t")
    job = ended(client, "t")
    assert job["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    code, message, _ = refusal(client.stop_transform_job, TransformJobName="t")
    assert (code, message) == (
        "ValidationException",
        "The request was rejected because the transform job is in status Stopped.",
    )


def test_a_model_that_is_not_there_is_refused(client: Any) -> None:
    """At once: nothing is created."""
    request = {**transform("t"), "ModelName": "none"}
    code, message, _ = refusal(client.create_transform_job, **request)
    assert code == "ValidationException"
    assert message == 'Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model/none".'
    assert client.list_transform_jobs()["TransformJobSummaries"] == []


def test_a_step_whose_model_is_not_there_fails_as_the_service_refuses_its_job(
    served: Served,
) -> None:
    """Its job is created without the operation, whose words the reason repeats."""
    served.sagemaker.objects.put_bytes("s3://b/in/a.csv", b"1,2\n")
    request = transform("t")
    del request["TransformJobName"]
    end = served.sagemaker.jobs.create(require_kind("Transform"), "t", request).wait()
    model = 'model "arn:aws:sagemaker:us-east-1:000000000000:model/adder"'
    assert end.reason == f"Could not find {model}."
