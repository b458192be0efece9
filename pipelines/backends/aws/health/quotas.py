"""Quotas: as many instances as the steps ask for."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.gateway import Gateway
from pipelines.backends.aws.health.check import Check, Needs, missing, ok, unknown

_SUBJECT = "quotas"


def check(gateway: Gateway, needs: Needs) -> Iterator[Check]:
    """Check the instances that each step asks for, one step at a time."""
    if not needs.instances:
        return
    try:
        quotas = {
            quota["QuotaName"]: float(quota["Value"])
            for quota in gateway.pages(
                "service-quotas", "list_service_quotas", "Quotas", ServiceCode="sagemaker"
            )
        }
    except AwsError as error:
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
                f"{name}: {allowed:.0f}, a step asks for {count}",
                f"ask for more in Service Quotas, SageMaker, `{name}`, in {gateway.region}",
            )
        else:
            yield ok(_SUBJECT, f"{name}: {allowed:.0f}")
