"""The deployments of a pipeline and prices → what their endpoints and batches cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pipelines.compile.model import Compiled
from pipelines.cost.estimate import HOUR, HOURS_A_MONTH, Amount
from pipelines.cost.prices import Prices
from pipelines.frozen import frozen
from pipelines.plan.deployments import steps_that_deploy
from pipelines.programs.deploy.model import DeploymentTarget

SERVERLESS: Final = "serverless/gb-second"
PROVISIONED: Final = "serverless-provisioned/gb-second"
_MB: Final = 1024


@frozen
class EndpointCost:
    """What an endpoint costs, or a batch.

    Args:
        endpoint: its name; of a batch the step's.
        mode: how it is served.
        what: what is billed.
        month: the dollars for 730 hours.
        remark: what else there is to say.
    """

    endpoint: str
    mode: str
    what: str
    month: Amount
    remark: str = ""


def endpoint_costs(compiled: Compiled, prices: Prices) -> tuple[EndpointCost, ...]:
    """Return what the endpoints and batches cost that a pipeline deploys."""
    found = steps_that_deploy(compiled)
    return tuple(cost for one in found for cost in _of_deployment(one, prices))


def _of_deployment(deployment: DeploymentTarget, prices: Prices) -> Iterator[EndpointCost]:
    if deployment.batch:
        yield _batch(deployment, prices)
        return
    variant, serverless = deployment.variant, deployment.variant.get("ServerlessConfig")
    if serverless is not None:
        yield from _serverless(deployment, serverless, prices)
        return
    count = int(variant.get("InitialInstanceCount", 1))
    most = int(deployment.scaling.get("MaxCapacity", count))
    pools = [one["InstanceType"] for one in variant.get("InstancePools", ())]
    types = pools or [variant.get("InstanceType") or "unknown"]
    names = [f"hosting/{one}" for one in types]
    month = _dearest(names, prices, most * HOURS_A_MONTH)
    volume = variant.get("VolumeSizeInGB")
    storage = prices.of("hosting/storage")
    if volume:
        month += (
            Amount(unknown=("hosting/storage",))
            if storage is None
            else Amount(storage * volume * most)
        )
    remark = "; ".join(_remarks(deployment))
    yield EndpointCost(
        deployment.endpoint, deployment.mode, f"{most} x {' or '.join(names)}", month, remark
    )


def _dearest(names: Sequence[str], prices: Prices, hours: float) -> Amount:
    """Return what the dearest of instance types costs."""
    known = {name: prices.of(name) for name in names}
    missing = tuple(name for name, price in known.items() if price is None)
    dollars = max((price for price in known.values() if price is not None), default=0.0)
    return Amount(unknown=missing) if missing else Amount(dollars * hours)


def _batch(deployment: DeploymentTarget, prices: Prices) -> EndpointCost:
    """Return what a batch costs: how long its jobs run, and how often, nobody knows ahead."""
    resources = deployment.batch["TransformResources"]
    name = f"transform/{resources['InstanceType']}"
    count = int(resources.get("InstanceCount") or 1)
    hourly = prices.of(name)
    remark = "" if hourly is None else f"{hourly * count:.3g} $ for each hour of a job"
    unknown = ("the jobs of batches", *((name,) if hourly is None else ()))
    what, month = f"{count} x {name}", Amount(unknown=unknown)
    return EndpointCost(deployment.name, deployment.mode, what, month, remark)


def _remarks(deployment: DeploymentTarget) -> Iterator[str]:
    if deployment.scaling:
        yield f"at most: it scales down to {deployment.scaling['MinCapacity']}"
    if deployment.shadow:
        yield "twice that while a pending version gets a copy of each request"


def _serverless(
    deployment: DeploymentTarget, config: Mapping[str, Any], prices: Prices
) -> Iterator[EndpointCost]:
    """Yield a serverless variant: what is reserved all month, and what requests cost besides."""
    endpoint, mode = deployment.endpoint, deployment.mode
    memory = config["MemorySizeInMB"] / _MB
    reserved = deployment.scaling.get("MaxCapacity") or config.get("ProvisionedConcurrency")
    if reserved:
        price = prices.of(PROVISIONED)
        seconds = HOURS_A_MONTH * HOUR * memory * reserved
        month = Amount(unknown=(PROVISIONED,)) if price is None else Amount(price * seconds)
        what, said = f"{reserved} x {memory:g} GB provisioned", "; ".join(_remarks(deployment))
        yield EndpointCost(endpoint, mode, what, month, said)
    each = prices.of(SERVERLESS)
    said = "a price of" if each is None else f"{each * memory:.3g} $ for"
    remark = f"{said} each second of a request; data apart"
    unknown = ("the requests", *((SERVERLESS,) if each is None else ()))
    yield EndpointCost(
        endpoint, mode, f"{memory:g} GB while it answers", Amount(0, unknown), remark
    )
