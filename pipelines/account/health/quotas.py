"""Quotas: as many instances as the steps ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pipelines.account.account import Account
from pipelines.account.health.check import Check, missing, ok, unknown
from pipelines.account.quotas import quota_name, read_quotas
from pipelines.definition.needs import DefinitionNeeds
from pipelines.execution.caller import CallRefusedError

_SUBJECT = "quotas"


def check(
    account: Account, needs: DefinitionNeeds, keep: Callable[[Mapping[str, float]], None]
) -> Iterator[Check]:
    """Check the instances that each step asks for, one step at a time.

    Args:
        account: the account.
        needs: what the pipeline asks of it.
        keep: called with the quotas that were read.
    """
    if not needs.instances:
        return
    try:
        quotas = read_quotas(account)
    except CallRefusedError as error:
        yield unknown(_SUBJECT, error)
        return
    keep(quotas)
    for (job, instance_type), count in needs.instances.items():
        name = quota_name(job, instance_type)
        allowed = quotas.get(name)
        if allowed is None:
            yield Check(_SUBJECT, "unknown", f"there is no quota `{name}`")
        elif allowed < count:
            yield missing(
                _SUBJECT,
                f"{name}: {allowed:.0f}, a step needs {count}",
                f"request an increase in Service Quotas, SageMaker, `{name}`, in {account.region}",
            )
        else:
            yield ok(_SUBJECT, f"{name}: {allowed:.0f}")
