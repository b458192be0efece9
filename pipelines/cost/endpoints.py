"""The deployments of a pipeline and prices → what their endpoints and batches cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pipelines.compile.model import Compiled
from pipelines.cost.estimate import HOUR, HOURS_A_MONTH, Amount, cost_of
from pipelines.cost.prices import PROVISIONED, PROVISIONED_REQUEST, SERVERLESS, Prices
from pipelines.cost.usage import Use, typed_defaults, uses_of
from pipelines.definition.named import read
from pipelines.definition.steps import take_apart
from pipelines.frozen import frozen
from pipelines.grammar.functions import with_parameters
from pipelines.json_types import JsonObject
from pipelines.plan.deployments import steps_that_deploy
from pipelines.programs.deploy.model import DeploymentTarget
from pipelines.steptypes.clusters import has_local_storage

_MB: Final = 1024
_COMPONENTS: Final = {"asynchronous": "asynchronous"}
"""How instances of a mode are billed, where that is not as hosting."""


@frozen
class EndpointCost:
    """What an endpoint costs, or a batch.

    Args:
        endpoint: its name; of a batch the step's.
        mode: how it is served.
        what: what is billed.
        month: what 730 hours cost.
        remark: what else there is to say.
    """

    endpoint: str
    mode: str
    what: str
    month: Amount
    remark: str = ""


def endpoint_costs(compiled: Compiled, prices: Prices) -> tuple[EndpointCost, ...]:
    """Return what the endpoints and batches cost that a pipeline deploys."""
    deployed = (cost for one in steps_that_deploy(compiled) for cost in _of_deployment(one, prices))
    return (*deployed, *_of_requests(read(compiled.definition), prices))


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
    component = _COMPONENTS.get(deployment.mode, "hosting")
    month = _dearest(component, types, prices, most, variant.get("VolumeSizeInGB"))
    what = f"{most} x {' or '.join(f'{component}/{one}' for one in types)}"
    remark = "; ".join(_remarks(deployment))
    yield EndpointCost(deployment.endpoint, deployment.mode, what, month, remark)


def _of_requests(definition: JsonObject, prices: Prices) -> Iterator[EndpointCost]:
    """Yield the endpoints that a definition creates by requests of its own."""
    known = typed_defaults(definition)
    for step in take_apart(definition).steps:
        if step.known is None or step.known.runs_jobs or not step.known.clusters:
            continue
        arguments = with_parameters(step.apart.get("Arguments") or {}, known)
        for cluster in step.known.clusters:
            found = tuple(uses_of(step.name, cluster, arguments))
            for use in found:
                month = cost_of(use, prices, HOURS_A_MONTH * HOUR, "")
                what = f"{use.count or '?'} x {use.price or 'unknown'}"
                yield EndpointCost(step.name, "own request", what, month)
            if not found:
                unknown = Amount(unknown=(f"the endpoint of {step.name}",))
                yield EndpointCost(step.name, "own request", "unknown", unknown)


def _dearest(
    component: str, types: Sequence[str], prices: Prices, count: int, volume: float | None
) -> Amount:
    """Return what the dearest of instance types costs in a month."""
    found = []
    for kind in types:
        use = Use("", component, kind, count, volume=None if has_local_storage(kind) else volume)
        found.append(cost_of(use, prices, HOURS_A_MONTH * HOUR, ""))
    missing = dict.fromkeys(name for one in found for name in one.unknown)
    return Amount(0.0 if missing else max(one.known for one in found), tuple(missing))


def _batch(deployment: DeploymentTarget, prices: Prices) -> EndpointCost:
    """Return what a batch costs: how long its jobs run, and how often, nobody knows ahead."""
    resources = deployment.batch["TransformResources"]
    name = f"transform/{resources['InstanceType']}"
    count = int(resources.get("InstanceCount") or 1)
    hourly = prices.of(name)
    remark = "" if hourly is None else f"{prices.money(hourly * count)} for each hour of a job"
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
        ready = Amount(unknown=(PROVISIONED,)) if price is None else Amount(price * seconds)
        remark, requests = _requests(PROVISIONED_REQUEST, memory, prices)
        said = "; ".join((*_remarks(deployment), remark))
        yield EndpointCost(
            endpoint, mode, f"{reserved} x {memory:g} GB provisioned", ready + requests, said
        )
    remark, requests = _requests(SERVERLESS, memory, prices)
    yield EndpointCost(endpoint, mode, f"{memory:g} GB while it answers", requests, remark)


def _requests(name: str, memory: float, prices: Prices) -> tuple[str, Amount]:
    """Return what a second of a request costs, and what nobody knows: how many there will be."""
    each = prices.of(name)
    unknown = ("the requests", *((name,) if each is None else ()))
    if each is None:
        return "requests and data are billed besides", Amount(unknown=unknown)
    said = f"{prices.money(each * memory)} for each second of a request; data besides"
    return said, Amount(unknown=unknown)
