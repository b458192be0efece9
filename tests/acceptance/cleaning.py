"""Delete what runs in an account have left: found by prefix, deleted where the tag is there too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.frozen import frozen
from tests.acceptance.events import delete_rule
from tests.acceptance.target import TAG

PREFIX = "sagemaker-acceptance-"
"""What the prefix of every run begins with."""

Clients = Callable[[str], Any]
"""boto3's clients by the service's name."""

_PATIENCE = 600.0


@frozen
class Leftover:
    """A resource of a run, and how it is deleted."""

    kind: str
    name: str
    delete: Callable[[], object]


def clean(client: Clients, prefix: str) -> list[str]:
    """Delete everything whose name begins with the prefix of runs; return what could not be.

    What cannot be listed holds up nothing else; where it may not be, no run can have made it.
    """
    if not prefix.startswith(PREFIX):
        raise ValueError(f"{prefix} is not the prefix of a run")
    problems = list[str]()
    for service, found in _SECTIONS:
        try:
            for leftover in found(client(service), prefix):
                problems += _deleted(leftover)
        except (BotoCoreError, ClientError) as error:
            what = found.__name__.strip("_").replace("_", " ")
            if is_denied(error):
                print(f"{what} may not be looked for")
            else:
                problems.append(f"{what}, which could not be listed: {_said(error)}")
    return problems


def is_denied(error: Exception) -> bool:
    """Return whether an error says that something may not be asked for, or cannot."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    return "AccessDenied" in code or code == "NotImplemented"


def _deleted(leftover: Leftover) -> list[str]:
    try:
        leftover.delete()
    except (BotoCoreError, ClientError, TimeoutError) as error:
        return [f"{leftover.kind} {leftover.name}: {_said(error)}"]
    print(f"deleted {leftover.kind} {leftover.name}")
    return []


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _pipelines(sagemaker: Any, prefix: str) -> Iterator[Leftover]:
    pages = sagemaker.get_paginator("list_pipelines").paginate(
        PipelineNamePrefix=prefix.rstrip("-")
    )
    for one in [one for page in pages for one in page["PipelineSummaries"]]:
        name = one["PipelineName"]
        if name.startswith(prefix) and _is_tagged(sagemaker, one["PipelineArn"]):
            yield Leftover("pipeline", name, partial(_delete_pipeline, sagemaker, name))


def _delete_pipeline(sagemaker: Any, name: str) -> None:
    """Stop its executions, whose jobs cost money, and wait for them."""
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=name)
    executions = [one for page in pages for one in page["PipelineExecutionSummaries"]]
    for one in executions:
        arn, status = one["PipelineExecutionArn"], one["PipelineExecutionStatus"]
        if status == "Executing":
            sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
        if status in ("Executing", "Stopping"):
            _wait_for_the_end(sagemaker, arn)
    sagemaker.delete_pipeline(PipelineName=name)


def _wait_for_the_end(sagemaker: Any, arn: str) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if described["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
            return
        if time.monotonic() > end:
            raise TimeoutError(f"{arn} does not stop")
        time.sleep(5)


def _packages(sagemaker: Any, prefix: str) -> Iterator[Leftover]:
    """Yield versions before their group, and packages without one."""
    pages = sagemaker.get_paginator("list_model_package_groups").paginate(NameContains=prefix)
    for one in [one for page in pages for one in page["ModelPackageGroupSummaryList"]]:
        group = one["ModelPackageGroupName"]
        if group.startswith(prefix) and _is_tagged(sagemaker, one["ModelPackageGroupArn"]):
            yield Leftover("group", group, partial(_delete_group, sagemaker, group))


def _delete_group(sagemaker: Any, group: str) -> None:
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    for one in [one for page in pages for one in page["ModelPackageSummaryList"]]:
        sagemaker.delete_model_package(ModelPackageName=one["ModelPackageArn"])
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)


def _named(
    sagemaker: Any, prefix: str, listing: str, member: str, resource: str, **more: str
) -> Iterator[str]:
    """Yield the names of resources that have both the prefix and the tag.

    Args:
        sagemaker: the client.
        prefix: what the names begin with.
        listing: the method that lists them.
        member: where its answer has them.
        resource: what the members of one are called: `<resource>Name`, `<resource>Arn`.
        more: further members of the request.
    """
    pages = sagemaker.get_paginator(listing).paginate(NameContains=prefix, **more)
    for one in [one for page in pages for one in page[member]]:
        name: str = one[f"{resource}Name"]
        if name.startswith(prefix) and _is_tagged(sagemaker, one[f"{resource}Arn"]):
            yield name


def _transform_jobs(sagemaker: Any, prefix: str) -> Iterator[Leftover]:
    """Yield those that run: they cannot be deleted, and nothing else ends them."""
    for name in _named(
        sagemaker,
        prefix,
        "list_transform_jobs",
        "TransformJobSummaries",
        "TransformJob",
        StatusEquals="InProgress",
    ):
        yield Leftover(
            "transform job", name, partial(sagemaker.stop_transform_job, TransformJobName=name)
        )


def _endpoints(sagemaker: Any, prefix: str) -> Iterator[Leftover]:
    for name in _named(sagemaker, prefix, "list_endpoints", "Endpoints", "Endpoint"):
        yield Leftover("endpoint", name, partial(sagemaker.delete_endpoint, EndpointName=name))


def _endpoint_configs(sagemaker: Any, prefix: str) -> Iterator[Leftover]:
    for name in _named(
        sagemaker, prefix, "list_endpoint_configs", "EndpointConfigs", "EndpointConfig"
    ):
        yield Leftover(
            "endpoint config",
            name,
            partial(sagemaker.delete_endpoint_config, EndpointConfigName=name),
        )


def _models(sagemaker: Any, prefix: str) -> Iterator[Leftover]:
    for name in _named(sagemaker, prefix, "list_models", "Models", "Model"):
        yield Leftover("model", name, partial(sagemaker.delete_model, ModelName=name))


def _rules(events: Any, prefix: str) -> Iterator[Leftover]:
    for one in events.list_rules(NamePrefix=prefix)["Rules"]:
        tags = events.list_tags_for_resource(ResourceARN=one["Arn"])["Tags"]
        if TAG in {tag["Key"] for tag in tags}:
            yield Leftover("rule", one["Name"], partial(delete_rule, events, one["Name"]))


def _queues(sqs: Any, prefix: str) -> Iterator[Leftover]:
    for url in sqs.list_queues(QueueNamePrefix=prefix).get("QueueUrls", []):
        if TAG in sqs.list_queue_tags(QueueUrl=url).get("Tags", {}):
            name = url.rpartition("/")[2]
            yield Leftover("queue", name, partial(sqs.delete_queue, QueueUrl=url))


def _buckets(s3: Any, prefix: str) -> Iterator[Leftover]:
    for one in s3.list_buckets()["Buckets"]:
        name = one["Name"]
        if name.startswith(prefix) and _is_tagged_bucket(s3, name):
            yield Leftover("bucket", name, partial(_delete_bucket, s3, name))


def _delete_bucket(s3: Any, name: str) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
    for one in [one for page in pages for one in page.get("Contents", [])]:
        s3.delete_object(Bucket=name, Key=one["Key"])
    s3.delete_bucket(Bucket=name)


def _is_tagged(sagemaker: Any, arn: str) -> bool:
    return TAG in {tag["Key"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}


def _is_tagged_bucket(s3: Any, name: str) -> bool:
    try:
        tags = s3.get_bucket_tagging(Bucket=name)["TagSet"]
    except ClientError:
        return False
    return TAG in {tag["Key"] for tag in tags}


_SECTIONS: Final[tuple[tuple[str, Callable[[Any, str], Iterator[Leftover]]], ...]] = (
    ("sagemaker", _pipelines),
    ("sagemaker", _packages),
    ("sagemaker", _transform_jobs),
    ("sagemaker", _endpoints),
    ("sagemaker", _endpoint_configs),
    ("sagemaker", _models),
    ("events", _rules),
    ("sqs", _queues),
    ("s3", _buckets),
)
"""What there may be, in the order in which it can be deleted, each with its service."""
