"""A pipeline that trains, and executions of it that end well and badly."""

from __future__ import annotations

from tests.functional.aws.executions import Frame, step

DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [
        {"Name": "epochs", "Type": "Integer", "DefaultValue": 3},
        {"Name": "mode", "Type": "String", "DefaultValue": "good", "EnumValues": ["good", "bad"]},
    ],
    "Steps": [
        {"Name": "train", "Type": "Training", "Arguments": {}},
        {
            "Name": "enough",
            "Type": "Condition",
            "DependsOn": ["train"],
            "Arguments": {
                "Conditions": [],
                "IfSteps": [{"Name": "register", "Type": "RegisterModel", "Arguments": {}}],
                "ElseSteps": [
                    {"Name": "reject", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
                ],
            },
        },
    ],
}
JOB = "pipelines-abcdefghijkl-train-0123456789"
TRAINING = {
    "TrainingJob": {"Arn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{JOB}-0"}
}
GROUP = "/aws/sagemaker/TrainingJobs"
"""The log group of training jobs."""

WELL = (
    Frame("Executing"),
    Frame("Executing", [step("train", "Executing", Metadata=TRAINING)]),
    Frame(
        "Succeeded",
        [
            step(
                "train",
                "Succeeded",
                CacheHitResult={"SourcePipelineExecutionArn": "arn:x/execution/earlier"},
            ),
            step("enough", "Succeeded", Metadata={"Condition": {"Outcome": "True"}}),
            step("register", "Succeeded"),
        ],
    ),
)
BADLY = (
    Frame("Executing", [step("train", "Executing", Metadata=TRAINING)]),
    Frame(
        "Failed",
        [step("train", "Failed", Metadata=TRAINING, FailureReason="AlgorithmError: exit code 1")],
        "Step failure: One or multiple steps failed",
    ),
)
