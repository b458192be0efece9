"""What the role of a SageMaker job needs, whatever its code does.

Source: developer guide, "How to use SageMaker AI execution roles", the permissions of
CreateTrainingJob and CreateProcessingJob.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

JobResource: TypeAlias = Literal["any", "images", "logs", "inputs", "buckets", "outputs"]
"""What of a job an action is on."""

ACTIONS: Final[Mapping[str, JobResource]] = {
    "cloudwatch:PutMetricData": "any",
    "ecr:BatchCheckLayerAvailability": "images",
    "ecr:BatchGetImage": "images",
    "ecr:GetAuthorizationToken": "any",
    "ecr:GetDownloadUrlForLayer": "images",
    "logs:CreateLogGroup": "logs",
    "logs:CreateLogStream": "logs",
    "logs:DescribeLogStreams": "logs",
    "logs:PutLogEvents": "logs",
    "s3:GetObject": "inputs",
    "s3:ListBucket": "buckets",
    "s3:PutObject": "outputs",
}
