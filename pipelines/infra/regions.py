"""What CloudFormation cannot make in some regions, and the partition of a region.

Source: CloudFormation's registry of resource types by region, as cfn-lint 1.58 ships it; a test
compares.
"""

from __future__ import annotations

from typing import Final

CONNECTION: Final = "AWS::CodeConnections::Connection"
GROUP: Final = "AWS::SageMaker::ModelPackageGroup"
BUILD: Final = "AWS::CodeBuild::Project"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MISSING: Final = {
    CONNECTION: _names(
        "af-south-1 ap-east-1 ap-east-2 ap-northeast-3 ap-south-2 ap-southeast-3 ap-southeast-4"
        " ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-west-1 cn-north-1 cn-northwest-1"
        " eu-central-2 eu-south-2 il-central-1 me-central-1 mx-central-1"
    ),
    GROUP: _names(
        "ap-east-2 ap-south-2 ap-southeast-4 ap-southeast-6 cn-north-1 cn-northwest-1 us-gov-east-1"
    ),
    BUILD: _names("ap-east-2 ca-west-1 mx-central-1"),
}
"""Type of a resource → the regions that do not have it."""


def has(resource_type: str, region: str) -> bool:
    """Return whether CloudFormation can make a resource in a region."""
    return region not in MISSING.get(resource_type, frozenset())
