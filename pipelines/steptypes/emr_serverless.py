"""EMRServerless: one job run in an application that is there, or is made for it."""

from __future__ import annotations

from pipelines.steptypes.steptype import STEP_FAULTS, Cache, StepType

STEP_TYPE = StepType(
    name="EMRServerless",
    request="EMRServerlessArguments",
    describe="GetJobRunResponse",
    cache=Cache(),
    retry_types=STEP_FAULTS,
    permissions={
        "emr-serverless:CreateApplication": ("*",),
        **dict.fromkeys(
            (
                "emr-serverless:GetApplication",
                "emr-serverless:StartApplication",
                "emr-serverless:StopApplication",
                "emr-serverless:DeleteApplication",
                "emr-serverless:StartJobRun",
                "emr-serverless:GetJobRun",
                "emr-serverless:CancelJobRun",
            ),
            ("emr-serverless:/applications/*",),
        ),
        "iam:PassRole": ("role",),
    },
    passes_to=("emr-serverless.amazonaws.com",),
    service="emr-serverless",
    billed_for="the EMR Serverless job",
    own_shapes={
        "EMRServerlessArguments": {
            "type": "structure",
            "required": ["ExecutionRoleArn", "JobConfig"],
            "members": {
                "ExecutionRoleArn": {"shape": "RoleText"},
                "ApplicationId": {"shape": "ApplicationId"},
                "ApplicationConfig": {"shape": "ApplicationConfig"},
                "JobConfig": {"shape": "JobConfig"},
            },
        },
        "RoleText": {"type": "string"},
        "ApplicationConfig": {
            "type": "structure",
            "like": "CreateApplicationRequest",
            "without": ["clientToken"],
        },
        "JobConfig": {
            "type": "structure",
            "like": "StartJobRunRequest",
            "without": ["clientToken"],
            "required": ["executionRoleArn", "jobDriver"],
        },
    },
    one_of=(("", ("ApplicationId", "ApplicationConfig")),),
)
