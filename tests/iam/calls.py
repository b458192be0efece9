"""A call of AWS → what IAM is asked for it: the actions, on which resources, in which context.

Source: Service Authorization Reference, the pages of SageMaker AI, S3, IAM and STS. A call that
stands in no table here is an error: it would be a call of which nobody knows what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.json_types import JsonObject
from tests.iam.evaluator import Request

SAGEMAKER = "sagemaker.amazonaws.com"

_RESOURCES: Mapping[str, tuple[str, ...]] = {
    "CreateEndpoint": ("endpoint/{EndpointName}", "endpoint-config/{EndpointConfigName}"),
    "CreateEndpointConfig": ("endpoint-config/{EndpointConfigName}",),
    "CreateModel": ("model/{ModelName}",),
    "CreateModelPackage": ("model-package/{ModelPackageGroupName}/1",),
    "CreateModelPackageGroup": ("model-package-group/{ModelPackageGroupName}",),
    "CreatePipeline": ("pipeline/{PipelineName}",),
    "CreateProcessingJob": ("processing-job/{ProcessingJobName}",),
    "CreateTrainingJob": ("training-job/{TrainingJobName}",),
    "DeleteEndpoint": ("endpoint/{EndpointName}",),
    "AddTags": ("{ResourceArn}",),
    "DeleteTags": ("{ResourceArn}",),
    "DescribeModelPackageGroup": ("model-package-group/{ModelPackageGroupName}",),
    "DescribePipeline": ("pipeline/{PipelineName}",),
    "DescribePipelineDefinitionForExecution": ("{PipelineExecutionArn}",),
    "DescribePipelineExecution": ("{PipelineExecutionArn}",),
    "DescribeEndpoint": ("endpoint/{EndpointName}",),
    "DescribeEndpointConfig": ("endpoint-config/{EndpointConfigName}",),
    "DescribeModel": ("model/{ModelName}",),
    "DescribeModelPackage": ("{ModelPackageName}",),
    "InvokeEndpoint": ("endpoint/{EndpointName}",),
    "ListEndpointConfigs": (),
    "ListEndpoints": (),
    "ListModelPackageGroups": (),
    # The reference names the packages, others the group: both have to be allowed.
    "ListModelPackages": (
        "model-package-group/{ModelPackageGroupName}",
        "model-package/{ModelPackageGroupName}/1",
    ),
    "ListModels": (),
    "ListPipelineExecutionSteps": ("{PipelineExecutionArn}",),
    "ListPipelineExecutions": ("pipeline/{PipelineName}",),
    "ListTags": ("{ResourceArn}",),
    "StartPipelineExecution": ("pipeline/{PipelineName}",),
    "StopPipelineExecution": ("{PipelineExecutionArn}",),
    "UpdateEndpoint": ("endpoint/{EndpointName}", "endpoint-config/{EndpointConfigName}"),
    "UpdateModelPackage": ("{ModelPackageArn}",),
    "UpdatePipeline": ("pipeline/{PipelineName}",),
}
"""Operation of SageMaker's → what it is on, by members of its request."""

_S3: Mapping[str, tuple[str, str]] = {
    "DeleteObject": ("s3:DeleteObject", "{Bucket}/{Key}"),
    "GetObject": ("s3:GetObject", "{Bucket}/{Key}"),
    "HeadBucket": ("s3:ListBucket", "{Bucket}"),
    "HeadObject": ("s3:GetObject", "{Bucket}/{Key}"),
    "ListObjectsV2": ("s3:ListBucket", "{Bucket}"),
    "PutObject": ("s3:PutObject", "{Bucket}/{Key}"),
}


_REPOSITORY = "repository/{repositoryName}"
_OTHERS: Mapping[str, tuple[str, str]] = {
    **{
        operation: (f"ecr:{operation}", _REPOSITORY)
        for operation in (
            "BatchCheckLayerAvailability",
            "BatchGetImage",
            "CompleteLayerUpload",
            "GetDownloadUrlForLayer",
            "InitiateLayerUpload",
            "PutImage",
            "UploadLayerPart",
        )
    },
    "DescribeRepositories": ("ecr:DescribeRepositories", "repository/{repositoryNames[0]}"),
    "DescribeLogStreams": ("logs:DescribeLogStreams", "log-group:{logGroupName}"),
    "GetLogEvents": (
        "logs:GetLogEvents",
        "log-group:{logGroupName}:log-stream:{logStreamName}",
    ),
    "DeleteAlarms": ("cloudwatch:DeleteAlarms", "alarm:{AlarmNames[0]}"),
    "PutMetricAlarm": ("cloudwatch:PutMetricAlarm", "alarm:{AlarmName}"),
    "GetSchedule": ("scheduler:GetSchedule", "schedule/default/{Name}"),
    "ListRuleNamesByTarget": ("events:ListRuleNamesByTarget", "*"),
}


def needs(service: str, operation: str, request: JsonObject, place: str) -> Iterator[Request]:
    """Yield what a call needs.

    Args:
        service: such as sagemaker, sagemaker-runtime or s3.
        operation: in AWS's own words, as CreateModel.
        request: its parameters.
        place: the beginning of the ARNs of SageMaker's, with a colon at its end.
    """
    if service == "s3":
        action, resource = _S3[operation]
        listed = {"s3:prefix": request["Prefix"]} if "Prefix" in request else {}
        yield Request(action, f"arn:aws:s3:::{resource.format_map(request)}", listed)
        return
    if service == "application-autoscaling":
        yield _of_scaling(operation, request, place)
        return
    if operation in _OTHERS:
        action, resource = _OTHERS[operation]
        arn = place.replace("sagemaker", action.partition(":")[0]) + resource.format_map(request)
        yield Request(action, "*" if resource == "*" else arn)
        return
    filled = [one.format_map(request) for one in _RESOURCES[operation]]
    resources = [one if one.startswith("arn:") else f"{place}{one}" for one in filled]
    for resource in resources or ["*"]:
        yield Request(f"sagemaker:{operation}", resource)
    if request.get("Tags") and operation != "AddTags":
        yield Request("sagemaker:AddTags", resources[0])
    for member, value in request.items():
        if member.endswith("RoleArn"):
            yield Request("iam:PassRole", value, {"iam:PassedToService": SAGEMAKER})


def _of_scaling(operation: str, request: JsonObject, place: str) -> Request:
    """Return what Application Auto Scaling asks for; its targets have ARNs of its own making."""
    action = f"application-autoscaling:{operation}"
    if operation.startswith("Describe"):
        return Request(action, "*")
    arn = place.replace("sagemaker", "application-autoscaling") + "scalable-target/0ec5abc"
    of = {"application-autoscaling:service-namespace": request["ServiceNamespace"]}
    return Request(action, arn, of)


@dataclass(frozen=True, slots=True)
class Recorder:
    """A client that records what IAM would be asked for each of its calls.

    Args:
        service: of the client.
        client: what answers.
        place: the beginning of SageMaker's ARNs.
        asked: gets the requests.
    """

    service: str
    client: Any
    place: str
    asked: list[Request]

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self.client, operation)

        def recorded(*arguments: Any, **request: Any) -> Any:
            self._record(operation, request)
            return call(*arguments, **request)

        return recorded

    def get_paginator(self, operation: str) -> Any:
        """Return the pages of an operation, recorded when they are asked for."""
        pages = self.client.get_paginator(operation)
        recorder = self

        class Pages:
            def paginate(self, **request: Any) -> Any:
                recorder._record(operation, request)
                return pages.paginate(**request)

        return Pages()

    def _record(self, operation: str, request: JsonObject) -> None:
        name = "".join(word.capitalize() for word in operation.split("_"))
        self.asked.extend(needs(self.service, name, request, self.place))
