"""A legal request of every operation, against a local SageMaker with one resource of each kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from pipelines.backends.local.engine.folders import execution_folder
from pipelines.backends.local.jobs.states import JobState
from pipelines.backends.local.kept import JOB_FILE
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.state.jobs import JobRecord
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
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
TRAINING = {
    "AlgorithmSpecification": {
        "TrainingImage": "i",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["true"],
    },
    "HyperParameters": {"epochs": "1"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
    "ResourceConfig": RESOURCES,
    "RoleArn": ROLE,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "Environment": {"A": "1"},
    "Tags": TAGS,
}
TUNING = {
    "HyperParameterTuningJobConfig": {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {
            "CategoricalParameterRanges": [{"Name": "solver", "Values": ["a", "b"]}],
            "ContinuousParameterRanges": [
                {"Name": "rate", "MinValue": "0.1", "MaxValue": "1", "ScalingType": "Logarithmic"}
            ],
        },
        "RandomSeed": 1,
    },
    "TrainingJobDefinition": {
        "StaticHyperParameters": {"epochs": "1"},
        "AlgorithmSpecification": {
            "TrainingImage": "i",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*)"}],
        },
        "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
        "ResourceConfig": RESOURCES,
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    },
    "Tags": TAGS,
}
PROCESSING = {
    "AppSpecification": {"ImageUri": "i", "ContainerEntrypoint": ["true"]},
    "ProcessingResources": {"ClusterConfig": RESOURCES},
    "RoleArn": ROLE,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "Environment": {"A": "1"},
    "Tags": TAGS,
}
TRANSFORM = {
    "ModelName": "m",
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}},
        "ContentType": "text/csv",
    },
    "TransformOutput": {"S3OutputPath": "s3://b/out", "Accept": "text/csv"},
    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    "Tags": TAGS,
}


def fill(sagemaker: LocalSageMaker, owner: str) -> Names:
    """Create one of each kind; return their ARNs.

    Args:
        sagemaker: where.
        owner: who runs the jobs: another process that lives, so that their states stay.
    """
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
    _jobs(sagemaker, owner)
    stream = _log(sagemaker, execution.rpartition("/")[2])
    return {
        "stream": stream,
        "pipeline": pipeline,
        "execution": execution,
        "running": running,
        "package": package,
    }


def _jobs(sagemaker: LocalSageMaker, owner: str) -> None:
    """Record a job of each kind that is in progress."""
    context = sagemaker._provided.context
    for type_name, noun, request in (
        ("Training", "training-job", TRAINING),
        ("Processing", "processing-job", PROCESSING),
        ("Transform", "transform-job", TRANSFORM),
        ("Tuning", "hyper-parameter-tuning-job", TUNING),
    ):
        arn = context.arn(f"{noun}/j")
        state = JobState.new(context.now())
        context.state.jobs.add(JobRecord(type_name, "j", arn, state, request, owner))


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
_JOBS = {**_PAGE, "SortBy": "Status", "NameContains": "j", "StatusEquals": "InProgress"}

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
    "CreateProcessingJob": lambda _: {"ProcessingJobName": "k", **PROCESSING},
    "DescribeProcessingJob": lambda _: {"ProcessingJobName": "j"},
    "ListProcessingJobs": lambda _: _JOBS,
    "StopProcessingJob": lambda _: {"ProcessingJobName": "j"},
    "CreateTrainingJob": lambda _: {"TrainingJobName": "k", **TRAINING},
    "DescribeTrainingJob": lambda _: {"TrainingJobName": "j"},
    "ListTrainingJobs": lambda _: _JOBS,
    "StopTrainingJob": lambda _: {"TrainingJobName": "j"},
    "CreateHyperParameterTuningJob": lambda _: {"HyperParameterTuningJobName": "k", **TUNING},
    "DescribeHyperParameterTuningJob": lambda _: {"HyperParameterTuningJobName": "j"},
    "ListHyperParameterTuningJobs": lambda _: _JOBS,
    "StopHyperParameterTuningJob": lambda _: {"HyperParameterTuningJobName": "j"},
    "ListTrainingJobsForHyperParameterTuningJob": lambda _: {
        "HyperParameterTuningJobName": "j",
        "MaxResults": 10,
        "StatusEquals": "Completed",
        "SortBy": "FinalObjectiveMetricValue",
        "SortOrder": "Descending",
    },
    "CreateTransformJob": lambda _: {"TransformJobName": "k", **TRANSFORM},
    "DescribeTransformJob": lambda _: {"TransformJobName": "j"},
    "ListTransformJobs": lambda _: _JOBS,
    "StopTransformJob": lambda _: {"TransformJobName": "j"},
    "Search": lambda _: {
        "Resource": "TrainingJob",
        "SearchExpression": {
            "Operator": "And",
            "Filters": [{"Name": "TrainingJobStatus", "Operator": "Equals", "Value": "InProgress"}],
            "SubExpressions": [
                {"Filters": [{"Name": "Tags.a", "Operator": "Contains", "Value": "b"}]}
            ],
        },
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
        "MaxResults": 10,
    },
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
