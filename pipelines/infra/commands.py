"""What the commands of a delivery need in an environment: `plan` reads, the others change.

The calls are those of `account/` and `execution/`. Users' code runs in none of these: jobs have
roles of their own.
"""

from __future__ import annotations

from typing import Final

from pipelines.definition.named import groups_of
from pipelines.infra.model import Environment
from pipelines.infra.policies import Statement, on_the_key
from pipelines.spec.starts import starts

_READS: Final = (
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:DescribePipeline",
    "sagemaker:DescribePipelineDefinitionForExecution",
    "sagemaker:DescribePipelineExecution",
    "sagemaker:ListPipelineExecutionSteps",
    "sagemaker:ListPipelineExecutions",
    "sagemaker:ListPipelineParametersForExecution",
    "sagemaker:ListPipelineVersions",
    "sagemaker:ListTags",
)
_CHANGES: Final = (
    "sagemaker:AddTags",
    "sagemaker:CreateModelPackageGroup",
    "sagemaker:CreatePipeline",
    "sagemaker:DeleteTags",
    "sagemaker:StartPipelineExecution",
    "sagemaker:UpdatePipeline",
)


def planning(environment: Environment) -> tuple[Statement, ...]:
    """Return what `plan` needs: nothing that changes anything."""
    place, aws = environment.place, environment.aws
    own = place.s3(f"{aws.bucket}/{environment.compiled.pipeline}")
    found = [
        Statement("Look", _READS, _resources(environment)),
        # HeadBucket is asked for without a prefix, so none can be demanded.
        Statement("List", ("s3:GetBucketLocation", "s3:ListBucket"), (place.s3(aws.bucket),)),
        Statement("Read", ("s3:GetObject",), (f"{own}/code/*", f"{own}/definitions/*")),
        # The call takes no resource: it searches all rules for a target.
        Statement("FindRule", ("events:ListRuleNamesByTarget",), ("*",)),
    ]
    names = [one.name for one in starts(environment.spec)]
    if names:
        schedules = tuple(place.arn("scheduler", f"schedule/default/{name}") for name in names)
        found.append(Statement("Schedules", ("scheduler:GetSchedule",), schedules))
    return (*found, *on_the_key("KeyDecrypt", ("kms:Decrypt",), environment.aws))


def releasing(environment: Environment) -> tuple[Statement, ...]:
    """Return what `upsert` and `start --wait` need besides what `plan` needs."""
    place, aws = environment.place, environment.aws
    own = place.s3(f"{aws.bucket}/{environment.compiled.pipeline}")
    uploads = tuple(f"{own}/{part}/*" for part in ("code", "data", "definitions"))
    return (
        *planning(environment),
        Statement("Change", _CHANGES, _resources(environment)),
        Statement("Upload", ("s3:AbortMultipartUpload", "s3:PutObject"), uploads),
        Statement("TakeBack", ("s3:DeleteObject",), (f"{own}/data/*",)),
        Statement(
            "PassToSageMaker",
            ("iam:PassRole",),
            (aws.role,),
            {"StringEquals": {"iam:PassedToService": ("sagemaker.amazonaws.com",)}},
        ),
        Statement(
            "ReadLogs",
            ("logs:DescribeLogStreams", "logs:GetLogEvents"),
            (place.arn("logs", "log-group:/aws/sagemaker/*"),),
        ),
        *on_the_key("KeyGenerateDataKey", ("kms:GenerateDataKey",), environment.aws),
    )


def _resources(environment: Environment) -> tuple[str, ...]:
    definitions = environment.compiled.definitions
    names = [f"pipeline/{name}" for name in definitions]
    names += [f"pipeline/{name}/execution/*" for name in definitions]
    names += [f"model-package-group/{group}" for group in groups_of(*definitions.values())]
    return tuple(sorted(arn for name in names for arn in environment.place.sagemaker(name)))
