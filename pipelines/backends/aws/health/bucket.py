"""The bucket: there, the account's own, in the region."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.gateway import Gateway
from pipelines.backends.aws.health.check import Check, missing, ok
from pipelines.spec.model import Aws


def check(gateway: Gateway, aws: Aws) -> Iterator[Check]:
    """Check the bucket of a spec."""
    try:
        answer = gateway.call("s3", "head_bucket", Bucket=aws.bucket, **gateway.owned())
    except AwsError as error:
        yield missing("bucket", error.problem, error.remedy)
        return
    region = answer.get("BucketRegion", gateway.region)
    if region != gateway.region:
        yield missing(
            "bucket",
            f"{aws.bucket} lies in {region}, the pipeline in {gateway.region}",
            "SageMaker needs both in one region: change `aws.bucket` or `aws.region`",
        )
        return
    yield ok("bucket", f"{aws.bucket}, in {region}, of this account")
