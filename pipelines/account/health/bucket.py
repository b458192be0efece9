"""The bucket: there, the account's own, in the region."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.account.account import Account
from pipelines.account.health.check import MADE_BY, Check, missing, ok
from pipelines.execution.caller import CallRefusedError
from pipelines.spec.model import Aws


def check(account: Account, aws: Aws) -> Iterator[Check]:
    """Check the bucket of a spec."""
    try:
        answer = account.call("s3", "head_bucket", Bucket=aws.bucket, **account.owned())
    except CallRefusedError as error:
        ours = f"{error.remedy}; {MADE_BY}" if error.is_missing else error.remedy
        yield missing("bucket", error.problem, ours)
        return
    region = answer.get("BucketRegion", account.region)
    if region != account.region:
        yield missing(
            "bucket",
            f"{aws.bucket} is in {region}, the pipeline in {account.region}",
            "SageMaker needs both in one region: change `aws.bucket` or `aws.region`",
        )
        return
    yield ok("bucket", f"{aws.bucket}, in {region}, of this account")
