"""A legal request of every operation, against a local SageMaker with one resource of each kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from pipelines.backends.local.engine.folders import execution_folder
from pipelines.backends.local.kept import JOB_FILE
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.json_types import JsonObject

Names: TypeAlias = dict[str, str]

ROLE = "arn:aws:iam::000000000000:role/x"
TOKEN = "t" * 32
FAIL = {"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
PARAMETERS = [{"Name": "n", "Type": "String", "DefaultValue": "1"}]
DEFINITION = json.dumps({"Version": "2020-12-01", "Parameters": PARAMETERS, "Steps": [FAIL]})
CONTAINERS = [{"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz", "Environment": {"A": "1"}}]
SPECIFICATION = {
    "Containers": CONTAINERS,
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
VARIANT = {
    "VariantName": "A",
    "ModelName": "m",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
}
TAGS = [{"Key": "a", "Value": "b"}]


def fill(sagemaker: LocalSageMaker) -> Names:
    """Create one of each kind; return their ARNs."""
    pipeline = sagemaker.create_pipeline(
        PipelineName="p", PipelineDefinition=DEFINITION, RoleArn=ROLE, Tags=TAGS
    )["PipelineArn"]
    execution = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    running = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    sagemaker.create_model_package_group(ModelPackageGroupName="g")
    sagemaker.create_model_package_group(ModelPackageGroupName="empty")
    package = sagemaker.create_model_package(
        ModelPackageGroupName="g",
        ModelApprovalStatus="Approved",
        InferenceSpecification=SPECIFICATION,
    )["ModelPackageArn"]
    model = {"PrimaryContainer": {"ModelPackageName": package}, "ExecutionRoleArn": ROLE}
    sagemaker.create_model(ModelName="m", **model)
    for name in ("c", "d", "unused"):
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[VARIANT])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    sagemaker._provided.provisioner.wait("e")
    stream = _log(sagemaker, execution.rpartition("/")[2])
    return {
        "stream": stream,
        "pipeline": pipeline,
        "execution": execution,
        "running": running,
        "package": package,
    }


def _log(sagemaker: LocalSageMaker, execution: str) -> str:
    """Write a log as a job of an execution does; return the stream's name."""
    job = f"pipelines-{execution}-train-x-0"
    folder = execution_folder(sagemaker.settings.home, execution) / "train" / "0"
    folder.mkdir(parents=True)
    (folder / JOB_FILE).write_text(job)
    (folder / "algo-1.log").write_text("one\ntwo\n")
    return f"{job}/algo-1"


Request: TypeAlias = Callable[[Names], JsonObject]

_PAGE = {"MaxResults": 10, "SortOrder": "Ascending"}
_LIST = {**_PAGE, "SortBy": "Name", "NameContains": "m", "CreationTimeAfter": 0}
_PIPELINES = {"CreatedAfter": 0, "CreatedBefore": 4e9}
_GROUP = {"logGroupName": "/aws/sagemaker/TrainingJobs"}

ABSENT = {"DescribeProcessingJob", "DescribeTrainingJob", "DescribeTransformJob"}
"""Operations of which there is nothing to name; their requests are refused for that alone."""

LEGAL: dict[str, Request] = {
    "AddTags": lambda names: {"ResourceArn": names["pipeline"], "Tags": TAGS},
    "DeleteTags": lambda names: {"ResourceArn": names["pipeline"], "TagKeys": ["a"]},
    "ListTags": lambda names: {"ResourceArn": names["pipeline"], "MaxResults": 50},
    "CreatePipeline": lambda _: {
        "PipelineName": "q",
        "PipelineDisplayName": "Q",
        "PipelineDefinition": DEFINITION,
        "ClientRequestToken": TOKEN,
        "RoleArn": ROLE,
        "Tags": TAGS,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2},
    },
    "UpdatePipeline": lambda _: {
        "PipelineName": "p",
        "PipelineDefinition": DEFINITION,
        "RoleArn": ROLE,
    },
    "DescribePipeline": lambda _: {"PipelineName": "p", "PipelineVersionId": 1},
    "DeletePipeline": lambda _: {"PipelineName": "p", "ClientRequestToken": TOKEN},
    "ListPipelines": lambda _: {**_PAGE, **_PIPELINES, "SortBy": "Name", "PipelineNamePrefix": "p"},
    "ListPipelineVersions": lambda _: {"PipelineName": "p", **_PAGE, **_PIPELINES},
    "StartPipelineExecution": lambda _: {
        "PipelineName": "p",
        "PipelineParameters": [{"Name": "n", "Value": "2"}],
        "ClientRequestToken": TOKEN,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2},
        "SelectiveExecutionConfig": {"SelectedSteps": [{"StepName": "stop"}]},
        "PipelineVersionId": 1,
    },
    "StopPipelineExecution": lambda names: {
        "PipelineExecutionArn": names["running"],
        "ClientRequestToken": TOKEN,
    },
    "RetryPipelineExecution": lambda names: {
        "PipelineExecutionArn": names["execution"],
        "ClientRequestToken": TOKEN,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2},
    },
    "DescribePipelineExecution": lambda names: {"PipelineExecutionArn": names["execution"]},
    "DescribePipelineDefinitionForExecution": lambda names: {
        "PipelineExecutionArn": names["execution"]
    },
    "ListPipelineExecutions": lambda _: {"PipelineName": "p", **_PAGE, **_PIPELINES},
    "ListPipelineExecutionSteps": lambda names: {
        "PipelineExecutionArn": names["execution"],
        **_PAGE,
    },
    "ListPipelineParametersForExecution": lambda names: {
        "PipelineExecutionArn": names["execution"],
        "MaxResults": 10,
    },
    "CreateModelPackageGroup": lambda _: {
        "ModelPackageGroupName": "h",
        "ModelPackageGroupDescription": "text",
        "Tags": TAGS,
    },
    "DescribeModelPackageGroup": lambda _: {"ModelPackageGroupName": "g"},
    "ListModelPackageGroups": lambda _: _LIST,
    "DeleteModelPackageGroup": lambda _: {"ModelPackageGroupName": "empty"},
    "CreateModelPackage": lambda _: {
        "ModelPackageGroupName": "g",
        "ModelApprovalStatus": "Rejected",
        "InferenceSpecification": SPECIFICATION,
        "CustomerMetadataProperties": {"a": "b"},
        "ClientToken": TOKEN,
        "MetadataProperties": {"CommitId": "abc"},
    },
    "DescribeModelPackage": lambda names: {"ModelPackageName": names["package"]},
    "ListModelPackages": lambda _: {
        **_LIST,
        "ModelPackageGroupName": "g",
        "ModelApprovalStatus": "Approved",
    },
    "UpdateModelPackage": lambda names: {
        "ModelPackageArn": names["package"],
        "ModelApprovalStatus": "Rejected",
        "CustomerMetadataProperties": {"a": "b"},
        "ModelLifeCycle": {"Stage": "Development", "StageStatus": "Approved"},
    },
    "DeleteModelPackage": lambda names: {"ModelPackageName": names["package"]},
    "CreateModel": lambda _: {
        "ModelName": "n",
        "PrimaryContainer": CONTAINERS[0],
        "ExecutionRoleArn": ROLE,
        "Tags": TAGS,
    },
    "DescribeModel": lambda _: {"ModelName": "m"},
    "ListModels": lambda _: _LIST,
    "DeleteModel": lambda _: {"ModelName": "m"},
    "CreateEndpointConfig": lambda _: {
        "EndpointConfigName": "f",
        "ProductionVariants": [VARIANT],
        "Tags": TAGS,
    },
    "DescribeEndpointConfig": lambda _: {"EndpointConfigName": "c"},
    "ListEndpointConfigs": lambda _: _LIST,
    "DeleteEndpointConfig": lambda _: {"EndpointConfigName": "unused"},
    "DescribeProcessingJob": lambda _: {"ProcessingJobName": "j"},
    "DescribeTrainingJob": lambda _: {"TrainingJobName": "j"},
    "DescribeTransformJob": lambda _: {"TransformJobName": "j"},
    "CreateEndpoint": lambda _: {
        "EndpointName": "new",
        "EndpointConfigName": "c",
        "Tags": TAGS,
    },
    "UpdateEndpoint": lambda _: {"EndpointName": "e", "EndpointConfigName": "d"},
    "UpdateEndpointWeightsAndCapacities": lambda _: {
        "EndpointName": "e",
        "DesiredWeightsAndCapacities": [{"VariantName": "A", "DesiredWeight": 2}],
    },
    "DescribeEndpoint": lambda _: {"EndpointName": "e"},
    "ListEndpoints": lambda _: {**_LIST, "StatusEquals": "InService"},
    "DeleteEndpoint": lambda _: {"EndpointName": "e"},
    "DescribeLogStreams": lambda names: {
        **_GROUP,
        "logStreamNamePrefix": names["stream"],
        "limit": 10,
    },
    "GetLogEvents": lambda names: {
        **_GROUP,
        "logStreamName": names["stream"],
        "startFromHead": True,
        "limit": 10,
    },
}
