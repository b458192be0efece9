"""Quotas: as many instances as the steps ask for."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.account.account import Account
from pipelines.account.health.check import Check, missing, ok, unknown
from pipelines.definition.needs import DefinitionNeeds
from pipelines.execution.caller import CallRefusedError

_SUBJECT = "quotas"


def check(account: Account, needs: DefinitionNeeds) -> Iterator[Check]:
    """Check the instances that each step asks for, one step at a time."""
    if not needs.instances:
        return
    try:
        quotas = {
            quota["QuotaName"]: float(quota["Value"])
            for quota in account.pages(
                "service-quotas", "list_service_quotas", "Quotas", ServiceCode="sagemaker"
            )
        }
    except CallRefusedError as error:
        yield unknown(_SUBJECT, error)
        return
    for (job, instance_type), count in needs.instances.items():
        name = f"{instance_type} for {job} usage"
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
