"""What an account needs before a pipeline runs there: what is missing, and how to get it.

Each module checks one thing and asks AWS for nothing but that. What may not be asked is told as
unknown, not as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from pipelines.account.account import Account
from pipelines.account.health import bucket, images, quotas, roles
from pipelines.account.health.check import Check, missing, ok
from pipelines.compile.grants import Permission
from pipelines.definition.needs import DefinitionNeeds
from pipelines.execution.caller import CallRefusedError
from pipelines.spec.model import Aws

__all__ = ["Check", "examine"]


def examine(
    account: Account,
    aws: Aws,
    needs: DefinitionNeeds,
    permissions: Iterable[Permission],
    keep: Callable[[Mapping[str, float]], None],
) -> Iterator[Check]:
    """Check an account, one thing after the other.

    Args:
        account: the account.
        aws: the `aws:` of the spec.
        needs: what the pipeline asks of it.
        permissions: what the pipeline needs of its roles.
        keep: called with the quotas that were read.
    """
    try:
        caller = account.call("sts", "get_caller_identity")
    except CallRefusedError as error:
        yield missing("credentials", error.problem, error.remedy)
        return
    yield ok("credentials", str(caller["Arn"]))
    yield ok("region", f"{account.region} ({account.partition})")
    yield from roles.check_caller(account, str(caller["Arn"]), aws)
    yield from roles.check_roles(account, aws, permissions)
    yield from bucket.check(account, aws)
    yield from quotas.check(account, needs, keep)
    yield from images.check(account, needs)
