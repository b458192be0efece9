"""The smallest pipeline with jobs: it measures, trains, decides by a property file, registers."""

from __future__ import annotations

from pipelines.json_types import JsonObject
from tests.acceptance.definitions import condition, definition
from tests.acceptance.target import Target

# A job is ended after five minutes, which is what the budget counts on.
PROCESSING, TRAINING = "ml.t3.medium", "ml.m5.large"
_REPORT = "/opt/ml/processing/report"
_MEASURE = (
    f"import json;json.dump({{'a':[{{'score':0.75}}]}},open('{_REPORT}/evaluation.json','w'))"
)
_TRAIN = "open('/opt/ml/model/model.txt','w').write('model')"
_FAILS = "open('/opt/ml/output/failure','w').write('the reason'); raise SystemExit(3)"


def training(target: Target, code: str = _TRAIN, instance: str = TRAINING) -> JsonObject:
    """Write the arguments of a training job that runs this code."""
    return {
        "AlgorithmSpecification": {
            "TrainingImage": target.image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", code],
        },
        "RoleArn": target.role,
        "OutputDataConfig": {"S3OutputPath": target.uri("models")},
        "ResourceConfig": {"InstanceType": instance, "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 300},
        "Tags": target.tags,
    }


def failing(target: Target) -> JsonObject:
    """Write the arguments of a training job that fails with a reason."""
    return training(target, _FAILS)


def processing(target: Target, flavour: object) -> JsonObject:
    """Write the arguments of a processing job that leaves a report."""
    upload = {"S3Uri": target.uri("report"), "LocalPath": _REPORT, "S3UploadMode": "EndOfJob"}
    return {
        "AppSpecification": {
            "ImageUri": target.image,
            "ContainerEntrypoint": ["python3", "-c", _MEASURE],
        },
        "Environment": {"FLAVOUR": flavour},
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "report", "S3Output": upload}]},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": PROCESSING,
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
            }
        },
        "RoleArn": target.role,
        "StoppingCondition": {"MaxRuntimeInSeconds": 300},
        "Tags": target.tags,
    }


def workload(target: Target, group: str) -> str:
    """Write the pipeline's definition; `Flavour` is an attribute of the cache key of `measure`."""
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    report = {"PropertyFileName": "Evaluation", "OutputName": "report"}
    file = {"Get": "Steps.measure.PropertyFiles.Evaluation"}
    score = {"Std:JsonGet": {"PropertyFile": file, "Path": "a[0].score"}}
    good = {"Type": "GreaterThan", "LeftValue": score, "RightValue": 0.5}
    return definition(
        {
            "Name": "measure",
            "Type": "Processing",
            "Arguments": processing(target, {"Get": "Parameters.Flavour"}),
            "PropertyFiles": [{**report, "FilePath": "evaluation.json"}],
            **cached,
        },
        {"Name": "train", "Type": "Training", "Arguments": training(target), **cached},
        condition("good", good, then=(_register(target, group),)),
        parameters=({"Name": "Flavour", "Type": "String", "DefaultValue": "plain"},),
    )


def _register(target: Target, group: str) -> JsonObject:
    model = {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"}
    container = {"Image": target.image, "ModelDataUrl": model}
    return {
        "Name": "register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
    }
