"""Training and processing jobs of clients, by stock boto3 over HTTP."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.local.api.conftest import IMAGE, ROLE, Served, refusal
from tests.waiting import until

WAIT = {"Delay": 1, "MaxAttempts": 60}
SCRIPT = """\
import argparse, os, shutil
options = argparse.ArgumentParser()
options.add_argument("--epochs", type=int)
epochs = options.parse_args().epochs
for epoch in range(epochs):
    print(f"loss={1 / (epoch + 1)};")
shutil.copy(os.environ["SM_CHANNEL_TRAIN"] + "/rows.csv", os.environ["SM_MODEL_DIR"])
"""


def training(name: str, *words: str, **more: object) -> dict[str, Any]:
    """Write a CreateTrainingJob request whose container starts these words."""
    entrypoint = {"ContainerEntrypoint": list(words)} if words else {}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*?);"}],
            **entrypoint,
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **more,
    }


def processing(name: str, *words: str, **more: object) -> dict[str, Any]:
    """Write a CreateProcessingJob request whose container starts these words."""
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
    return {
        "ProcessingJobName": name,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": list(words)},
        "ProcessingResources": {"ClusterConfig": cluster},
        "RoleArn": ROLE,
        **more,
    }


def channel(name: str, uri: str) -> dict[str, Any]:
    """Write an input channel."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def ended(client: Any, name: str) -> dict[str, Any]:
    """Wait for a training job and describe it."""
    waiter = client.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=name, WaiterConfig=WAIT)
    described: dict[str, Any] = client.describe_training_job(TrainingJobName=name)
    return described


def failed(client: Any, name: str) -> dict[str, Any]:
    """Wait for a training job that fails and describe it."""
    with pytest.raises(WaiterError):
        ended(client, name)
    described: dict[str, Any] = client.describe_training_job(TrainingJobName=name)
    return described


def test_a_script_mode_job_reads_its_channel_and_leaves_its_model(served: Served) -> None:
    """As SDK v2's estimators ask for it: hyperparameters as JSON, the code as an archive in S3."""
    s3, client = served.client("s3"), served.client("sagemaker")
    s3.create_bucket(Bucket="b")
    served.archive("s3://b/code/sourcedir.tar.gz", SCRIPT, "train.py")
    s3.put_object(Bucket="b", Key="data/rows.csv", Body=b"1,2\n")
    parameters = {
        "sagemaker_program": json.dumps("train.py"),
        "sagemaker_submit_directory": json.dumps("s3://b/code/sourcedir.tar.gz"),
        "epochs": "2",
    }
    arn = client.create_training_job(
        **training("fit-1"),
        HyperParameters=parameters,
        InputDataConfig=[channel("train", "s3://b/data/")],
        Tags=[{"Key": "team", "Value": "flights"}],
    )["TrainingJobArn"]

    job = ended(client, "fit-1")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    assert job["TrainingJobArn"] == arn
    assert job["HyperParameters"] == parameters
    phases = [one["Status"] for one in job["SecondaryStatusTransitions"]]
    assert phases == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert [(one["MetricName"], one["Value"]) for one in job["FinalMetricDataList"]] == [
        ("loss", 0.5)
    ]
    assert job["TrainingStartTime"] <= job["TrainingEndTime"] <= job["LastModifiedTime"]
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert model == "s3://b/models/fit-1/output/model.tar.gz"
    body = s3.get_object(Bucket="b", Key=model.removeprefix("s3://b/"))["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == ["rows.csv"]
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "flights"}]


def test_the_log_of_a_job_is_a_stream_of_its_group(served: Served) -> None:
    """Two jobs of one name and different kinds do not mix."""
    client, logs = served.client("sagemaker"), served.client("logs")
    script = "echo of training; touch /opt/ml/model/model"
    client.create_training_job(**training("same", "sh", "-c", script))
    client.create_processing_job(**processing("same", "sh", "-c", "echo of processing"))
    ended(client, "same")
    waiter = client.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName="same", WaiterConfig=WAIT)
    for group, said in (("TrainingJobs", "of training"), ("ProcessingJobs", "of processing")):
        name = f"/aws/sagemaker/{group}"
        (stream,) = logs.describe_log_streams(logGroupName=name, logStreamNamePrefix="same/")[
            "logStreams"
        ]
        assert stream["logStreamName"] == "same/algo-1"
        events = logs.get_log_events(
            logGroupName=name, logStreamName="same/algo-1", startFromHead=True
        )["events"]
        assert [one["message"] for one in events] == [said]


def test_a_processing_job_leaves_its_outputs_and_its_message(served: Served) -> None:
    """ProcessingOutputConfig, ExitMessage and the times, as DescribeProcessingJob has them."""
    client = served.client("sagemaker")
    script = "echo 3 > /opt/ml/processing/out/n; printf done > /opt/ml/output/message"
    output = {
        "OutputName": "n",
        "S3Output": {
            "S3Uri": "s3://b/out",
            "LocalPath": "/opt/ml/processing/out",
            "S3UploadMode": "EndOfJob",
        },
    }
    request = processing("work", "sh", "-c", script, ProcessingOutputConfig={"Outputs": [output]})
    client.create_processing_job(**request)
    waiter = client.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName="work", WaiterConfig=WAIT)
    job = client.describe_processing_job(ProcessingJobName="work")
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ExitMessage"] == "done"
    assert job["ProcessingOutputConfig"]["Outputs"] == [output]
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert served.sagemaker.objects.get_bytes("s3://b/out/n") == b"3\n"


def test_a_job_that_fails_says_why(served: Served) -> None:
    """The job's own text and its exit code; the waiter ends."""
    client = served.client("sagemaker")
    script = "printf 'no such column' > /opt/ml/output/failure; exit 3"
    client.create_training_job(**training("bad", "sh", "-c", script))
    job = failed(client, "bad")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: no such column, exit code: 3")


def test_a_job_without_its_input_fails_with_the_place_to_put_it(served: Served) -> None:
    """The service fails it too; here the file to write is named."""
    client = served.client("sagemaker")
    inputs = [channel("train", "s3://b/nothing/")]
    client.create_training_job(**training("empty", "true", InputDataConfig=inputs))
    reason = failed(client, "empty")["FailureReason"]
    assert "there is no object at s3://b/nothing/, which channel `train` reads" in reason


def test_stop_sends_sigterm_and_keeps_what_the_job_saved(served: Served) -> None:
    """Stopping, then Stopped; what lies in the model folder is uploaded; no reason is given."""
    client = served.client("sagemaker")
    script = "trap 'echo kept > /opt/ml/model/m; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    client.create_training_job(**training("long", "sh", "-c", script))
    path = served.sagemaker.settings.home / "logs/training-job/long/1/algo-1.log"
    until(lambda: path.is_file() and path.read_text() == "up\n")
    state = client.describe_training_job(TrainingJobName="long")
    assert state["TrainingJobStatus"] == "InProgress"
    client.stop_training_job(TrainingJobName="long")
    job = ended(client, "long")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    assert "FailureReason" not in job
    assert [one["Status"] for one in job["SecondaryStatusTransitions"]][-2:] == [
        "Stopping",
        "Stopped",
    ]
    assert served.sagemaker.objects.exists("s3://b/models/long/output/model.tar.gz")
    code, message, status = refusal(client.stop_training_job, TrainingJobName="long")
    assert (code, status) == ("ValidationException", 400)
    assert message == "The request was rejected because the training job is in status Stopped."


def test_a_job_that_runs_too_long_is_stopped(served: Served) -> None:
    """MaxRuntimeExceeded below Stopped, with what it has left as its model."""
    client = served.client("sagemaker")
    condition = {"MaxRuntimeInSeconds": 1}
    client.create_training_job(
        **training("slow", "sleep", "600", StoppingCondition=condition),
    )
    job = ended(client, "slow")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_name_is_given_once(served: Served) -> None:
    """Also when the first job has ended, and of two clients at once one alone succeeds."""
    client = served.client("sagemaker")
    arn = client.create_training_job(**training("once", "true"))["TrainingJobArn"]
    ended(client, "once")
    code, message, _ = refusal(client.create_training_job, **training("once", "true"))
    assert code == "ResourceInUse"
    assert message == (
        "Training job names must be unique within an AWS account and region, and a training job"
        f" with this name already exists ({arn})"
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59},
            },
            "MaxWaitTimeInSeconds",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}},
            "EnableManagedSpotTraining",
        ),
        ({"ResourceConfig": {"VolumeSizeInGB": 1}}, "InstanceType"),
    ],
)
def test_what_the_service_refuses_creates_nothing(
    served: Served, more: dict[str, Any], said: str
) -> None:
    """By the rules that definitions are checked with."""
    client = served.client("sagemaker")
    code, message, _ = refusal(client.create_training_job, **training("x", "true", **more))
    assert code == "ValidationException"
    assert said in message
    assert client.list_training_jobs()["TrainingJobSummaries"] == []


def test_a_job_that_is_not_there_is_refused_in_the_services_words(served: Served) -> None:
    """SDKs read these texts (Describe and Stop of a training job share one)."""
    client = served.client("sagemaker")
    for operation in (client.describe_training_job, client.stop_training_job):
        refused = refusal(operation, TrainingJobName="none")
        assert refused == ("ValidationException", "Requested resource not found.", 400)
    code, message, _ = refusal(client.describe_processing_job, ProcessingJobName="none")
    assert (code, message) == (
        "ValidationException",
        "Could not find requested job with name: none",
    )


def test_jobs_are_listed_by_pages_filters_and_orders(served: Served) -> None:
    """With stock paginators; the default order is that of the API reference."""
    client = served.client("sagemaker")
    for name, script in (("b1", "exit 0"), ("a1", "exit 1"), ("c1", "exit 0")):
        client.create_processing_job(**processing(name, "sh", "-c", script))
        while client.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"] == (
            "InProgress"
        ):
            pass

    def listed(size: int = 100, **request: object) -> list[str]:
        pages = client.get_paginator("list_processing_jobs").paginate(
            PaginationConfig={"PageSize": size}, **request
        )
        return [
            one["ProcessingJobName"] for page in pages for one in page["ProcessingJobSummaries"]
        ]

    assert listed() == listed(size=1) == ["b1", "a1", "c1"]
    assert listed(SortOrder="Descending") == ["c1", "a1", "b1"]
    assert listed(size=2, SortBy="Name") == ["a1", "b1", "c1"]
    assert listed(SortBy="Status") == ["b1", "c1", "a1"]
    assert listed(StatusEquals="Failed") == listed(NameContains="a") == ["a1"]
    (one,) = client.list_processing_jobs(StatusEquals="Failed")["ProcessingJobSummaries"]
    assert one["FailureReason"].startswith("AlgorithmError")
    later = one["LastModifiedTime"]
    assert listed(LastModifiedTimeAfter=later + timedelta(milliseconds=1)) == ["c1"]
    assert listed(CreationTimeBefore=later) == ["b1", "a1"]
