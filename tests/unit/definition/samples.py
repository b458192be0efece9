"""A definition that is right, and changes that make it wrong."""

from __future__ import annotations

import copy
from typing import Any

from pipelines.json_types import Json, JsonObject

ROLE = "arn:aws:iam::111122223333:role/flight-delays"

PROCESSING: JsonObject = {
    "RoleArn": ROLE,
    "AppSpecification": {"ImageUri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/i:1"},
    "ProcessingResources": {
        "ClusterConfig": {
            "InstanceCount": {"Get": "Parameters.count"},
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 30,
        }
    },
    "ProcessingOutputConfig": {
        "Outputs": [
            {
                "OutputName": "report",
                "S3Output": {
                    "S3Uri": "s3://b/report",
                    "LocalPath": "/opt/ml/processing/output/report",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    },
}

AUC: JsonObject = {
    "Std:JsonGet": {
        "PropertyFile": {"Get": "Steps.evaluate.PropertyFiles.metrics"},
        "Path": "auc",
    }
}

DEFINITION: JsonObject = {
    "Version": "2020-12-01",
    "Metadata": {},
    "Parameters": [
        {"Name": "count", "Type": "Integer", "DefaultValue": 1},
        {"Name": "stage", "Type": "String", "DefaultValue": "dev", "EnumValues": ["dev", "prod"]},
    ],
    "PipelineExperimentConfig": {
        "ExperimentName": {"Get": "Execution.PipelineName"},
        "TrialName": {"Get": "Execution.PipelineExecutionId"},
    },
    "MlflowConfig": None,
    "Steps": [
        {
            "Name": "evaluate",
            "Type": "Processing",
            "Arguments": PROCESSING,
            "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
            "RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3}],
            "PropertyFiles": [
                {"PropertyFileName": "metrics", "OutputName": "report", "FilePath": "m.json"}
            ],
        },
        {
            "Name": "good-enough",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [{"Type": "GreaterThan", "LeftValue": AUC, "RightValue": 0.7}],
                "IfSteps": [
                    {
                        "Name": "notify",
                        "Type": "Lambda",
                        "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f",
                        "OutputParameters": [{"OutputName": "answer", "OutputType": "String"}],
                        "Arguments": {
                            "report": {
                                "Get": "Steps.evaluate.ProcessingOutputConfig"
                                ".Outputs['report'].S3Output.S3Uri"
                            }
                        },
                    }
                ],
                "ElseSteps": [
                    {
                        "Name": "reject",
                        "Type": "Fail",
                        "Arguments": {"ErrorMessage": {"Std:Join": {"On": " ", "Values": [AUC]}}},
                    }
                ],
            },
        },
    ],
}

STEP = ("Steps", 0)
CONDITION = ("Steps", 1, "Arguments", "Conditions", 0)
LAMBDA = ("Steps", 1, "Arguments", "IfSteps", 0)
FAIL = ("Steps", 1, "Arguments", "ElseSteps", 0)


def changed(path: tuple[str | int, ...], value: Json) -> JsonObject:
    """Copy the right definition with another value at a path."""
    definition = copy.deepcopy(DEFINITION)
    holder: Any = definition
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return definition


def without(path: tuple[str | int, ...]) -> JsonObject:
    """Copy the right definition without what stands at a path."""
    definition = copy.deepcopy(DEFINITION)
    holder: Any = definition
    for part in path[:-1]:
        holder = holder[part]
    del holder[path[-1]]
    return definition


def with_steps(*steps: JsonObject) -> JsonObject:
    """Copy the right definition with more steps."""
    definition = copy.deepcopy(DEFINITION)
    definition["Steps"].extend(steps)
    return definition


def fail_step(name: str, message: Json = "stopped", **keys: Json) -> JsonObject:
    """Write a Fail step."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **keys}


def lambda_step(name: str, value: Json = "", **keys: Json) -> JsonObject:
    """Write a Lambda step with one argument."""
    arguments = {"value": value}
    return {"Name": name, "Type": "Lambda", "FunctionArn": "f", "Arguments": arguments, **keys}


def condition_step(name: str, *if_steps: JsonObject) -> JsonObject:
    """Write a Condition step that always takes its first branch."""
    conditions = [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}]
    arguments = {"Conditions": conditions, "IfSteps": list(if_steps), "ElseSteps": []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def for_each_step(body: list[JsonObject], **arguments: Json) -> JsonObject:
    """Write a ForEach step."""
    whole = {"IterableItems": ["a", 1], "MaxConcurrency": 2, "ForEachBody": body, **arguments}
    return {"Name": "loop", "Type": "ForEach", "Arguments": whole}


def get(target: str) -> JsonObject:
    """Write a reference."""
    return {"Get": target}
