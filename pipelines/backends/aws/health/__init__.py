"""What an account needs before a pipeline runs there: what is missing, and how to get it.

Each module checks one thing and asks AWS for nothing but that. What may not be asked is told as
unknown, not as missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.gateway import Gateway
from pipelines.backends.aws.health import bucket, images, quotas, roles
from pipelines.backends.aws.health.check import Check, Needs, missing, ok
from pipelines.spec.model import Aws

__all__ = ["Check", "Needs", "examine"]


def examine(gateway: Gateway, aws: Aws, needs: Needs) -> Iterator[Check]:
    """Check an account, one thing after the other.

    Args:
        gateway: the account.
        aws: the `aws:` of the spec.
        needs: what the pipeline asks of it.
    """
    try:
        caller = gateway.call("sts", "get_caller_identity")
    except AwsError as error:
        yield missing("credentials", error.problem, error.remedy)
        return
    yield ok("credentials", str(caller["Arn"]))
    yield ok("region", f"{gateway.region} ({gateway.partition})")
    yield from roles.check_caller(gateway, str(caller["Arn"]), aws)
    yield from roles.check_role(gateway, "role", aws.role, needs.permissions)
    if aws.deploy_role is not None:
        yield from roles.check_role(gateway, "deploy role", aws.deploy_role, roles.DEPLOYING)
    yield from bucket.check(gateway, aws)
    yield from quotas.check(gateway, needs)
    yield from images.check(gateway, needs)
