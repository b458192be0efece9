"""The deployments of a pipeline and prices → what their endpoints cost in a month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipelines.compile.model import Compiled
from pipelines.cost.estimate import HOUR, HOURS_A_MONTH, Amount
from pipelines.cost.prices import Prices
from pipelines.frozen import frozen
from pipelines.plan.deployments import deployments
from pipelines.programs.deploy.model import DeploymentTarget

SERVERLESS: Final = "serverless/gb-second"
PROVISIONED: Final = "serverless-provisioned/gb-second"
_MB: Final = 1024


@frozen
class EndpointCost:
    """What an endpoint costs.

    Args:
        endpoint: its name.
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
    """Return what the endpoints cost that a pipeline deploys."""
    return tuple(cost for one in deployments(compiled) for cost in _of_deployment(one, prices))


def _of_deployment(deployment: DeploymentTarget, prices: Prices) -> Iterator[EndpointCost]:
    variant, serverless = deployment.variant, deployment.variant.get("ServerlessConfig")
    if serverless is not None:
        yield from _serverless(deployment, serverless, prices)
        return
    count = int(variant.get("InitialInstanceCount", 1))
    most = int(deployment.scaling.get("MaxCapacity", count))
    name = f"hosting/{variant.get('InstanceType') or 'unknown'}"
    hourly = prices.of(name)
    month = Amount(unknown=(name,)) if hourly is None else Amount(hourly * most * HOURS_A_MONTH)
    volume = variant.get("VolumeSizeInGB")
    storage = prices.of("hosting/storage")
    if volume:
        month += (
            Amount(unknown=("hosting/storage",))
            if storage is None
            else Amount(storage * volume * most)
        )
    remark = "; ".join(_remarks(deployment))
    yield EndpointCost(deployment.endpoint, deployment.mode, f"{most} x {name}", month, remark)


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
