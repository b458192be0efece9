"""What the role of a SageMaker job needs, whatever its code does.

Source: developer guide, "How to use SageMaker AI execution roles", the permissions of
CreateTrainingJob and CreateProcessingJob.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

JobResource: TypeAlias = Literal["*", "images", "logs", "inputs", "outputs", "listed"]
"""What of a job an action is on; `listed` is the prefixes of inputs and outputs in their buckets,
which a condition names."""

ACTIONS: Final[Mapping[str, JobResource]] = {
    "cloudwatch:PutMetricData": "*",
    "ecr:BatchCheckLayerAvailability": "images",
    "ecr:BatchGetImage": "images",
    "ecr:GetAuthorizationToken": "*",
    "ecr:GetDownloadUrlForLayer": "images",
    "logs:CreateLogGroup": "logs",
    "logs:CreateLogStream": "logs",
    "logs:DescribeLogStreams": "logs",
    "logs:PutLogEvents": "logs",
    "s3:GetObject": "inputs",
    "s3:ListBucket": "listed",
    "s3:PutObject": "outputs",
}

KMS: Final = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
"""What a job needs of the key of its volumes, inputs and outputs."""

CALLER_KMS: Final = ("kms:CreateGrant", "kms:DescribeKey")
"""What the role needs that starts a job with a key for its volumes."""

NETWORK: Final[Mapping[str, Literal["*", "interface", "interface and network"]]] = {
    "ec2:CreateNetworkInterface": "interface and network",
    "ec2:CreateNetworkInterfacePermission": "interface",
    "ec2:DeleteNetworkInterface": "interface",
    "ec2:DeleteNetworkInterfacePermission": "interface",
    "ec2:DescribeDhcpOptions": "*",
    "ec2:DescribeNetworkInterfaces": "*",
    "ec2:DescribeSecurityGroups": "*",
    "ec2:DescribeSubnets": "*",
    "ec2:DescribeVpcs": "*",
}
"""What a job in a VPC needs."""
