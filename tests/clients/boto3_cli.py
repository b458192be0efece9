"""boto3's paginators and waiters and the AWS CLI, against a running `serve`.

`python tests/clients/boto3_cli.py`, with what `serve` prints to export. It
takes the `aws` beside its Python, where there is one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import boto3

ROLE = "arn:aws:iam::000000000000:role/x"
JOBS = 12
DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Steps": [{"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
    }
)


class Names:
    """Clients, and names that no other run uses."""

    def __init__(self) -> None:
        self.sagemaker: Any = boto3.client("sagemaker")
        self.unique = uuid.uuid4().hex[:8]


def training_request(name: str, *words: str) -> dict[str, object]:
    """Return the request of a job that runs a command."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "image:1",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": list(words),
        },
        "OutputDataConfig": {"S3OutputPath": "s3://clients/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def waiters(names: Names) -> None:
    """`training_job_completed_or_stopped` and `processing_job_completed_or_stopped`."""
    client = names.sagemaker
    short = {"Delay": 1, "MaxAttempts": 60}
    client.create_training_job(**training_request(f"w-{names.unique}", "true"))
    waiter = client.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=f"w-{names.unique}", WaiterConfig=short)
    client.create_processing_job(
        ProcessingJobName=f"w-{names.unique}",
        AppSpecification={"ImageUri": "image:1", "ContainerEntrypoint": ["sleep", "600"]},
        ProcessingResources={
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            }
        },
        RoleArn=ROLE,
    )
    client.stop_processing_job(ProcessingJobName=f"w-{names.unique}")
    waiter = client.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName=f"w-{names.unique}", WaiterConfig=short)
    described = client.describe_processing_job(ProcessingJobName=f"w-{names.unique}")
    assert described["ProcessingJobStatus"] == "Stopped", described


def paginators(names: Names) -> None:
    """Pages of five have every pipeline once, in both directions, and so has Search."""
    client, made = names.sagemaker, [f"p-{names.unique}-{number:02}" for number in range(JOBS)]
    for name in made:
        client.create_pipeline(PipelineName=name, PipelineDefinition=DEFINITION, RoleArn=ROLE)
    asked = {"PipelineNamePrefix": f"p-{names.unique}", "SortBy": "Name"}
    for order in ("Ascending", "Descending"):
        pages = client.get_paginator("list_pipelines").paginate(
            **asked, SortOrder=order, PaginationConfig={"PageSize": 5}
        )
        found = [one["PipelineName"] for page in pages for one in page["PipelineSummaries"]]
        assert found == sorted(made, reverse=order == "Descending"), found
    expression = {
        "Filters": [{"Name": "PipelineName", "Operator": "Contains", "Value": made[0][:10]}]
    }
    pages = client.get_paginator("search").paginate(
        Resource="Pipeline", SearchExpression=expression, PaginationConfig={"PageSize": 5}
    )
    found = [one["Pipeline"]["PipelineName"] for page in pages for one in page["Results"]]
    assert sorted(found) == made, found
    for name in made:
        client.delete_pipeline(PipelineName=name)


def command_line(names: Names) -> None:
    """`aws` creates a job, waits for it, lists and describes it; a refusal is exit code 254."""
    aws = Path(sys.executable).with_name("aws")
    if not aws.exists():
        print("--  command_line: there is no `aws` beside this Python")
        return
    name = f"aws-{names.unique}"

    def call(*words: str) -> Any:
        line = [sys.executable, str(aws), *words, "--output", "json"]
        ended = subprocess.run(line, capture_output=True, check=False, text=True)
        assert ended.returncode == 0 or "ValidationException" in ended.stderr, ended
        return json.loads(ended.stdout) if ended.stdout else ended.returncode

    request = json.dumps(training_request(name, "true"))
    assert call("sagemaker", "create-training-job", "--cli-input-json", request)["TrainingJobArn"]
    call("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", name)
    listed = call("sagemaker", "list-training-jobs", "--name-contains", name)
    assert [one["TrainingJobName"] for one in listed["TrainingJobSummaries"]] == [name]
    described = call("sagemaker", "describe-training-job", "--training-job-name", name)
    assert described["TrainingJobStatus"] == "Completed", described
    assert call("sagemaker", "describe-training-job", "--training-job-name", "none") != 0
    assert call("sts", "get-caller-identity")["Account"] == "000000000000"
    assert call("iam", "get-role", "--role-name", "x")["Role"]["Arn"] == ROLE


def main() -> int:
    """Do all of it; a failed assertion is a traceback."""
    names = Names()
    for one in (waiters, paginators, command_line):
        if one.__name__ in (sys.argv[1:] or [one.__name__]):
            one(names)
            print(f"ok  {one.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
