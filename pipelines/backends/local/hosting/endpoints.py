"""The operations on endpoints."""

from __future__ import annotations

import os
from dataclasses import replace

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.hosting.configs import EndpointConfigs
from pipelines.backends.local.hosting.fleets import Fleets
from pipelines.backends.local.hosting.provisioner import Provisioner
from pipelines.backends.local.hosting.store import Endpoint, EndpointStore
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.requests import (
    Members,
    Order,
    check_choice,
    check_name,
    moment,
    page,
    within,
)
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_CREATE = Members(("EndpointName", "EndpointConfigName"), ("DeploymentConfig", "Tags"))
_UPDATE = Members(
    ("EndpointName", "EndpointConfigName"),
    (
        "RetainAllVariantProperties",
        "ExcludeRetainedVariantProperties",
        "DeploymentConfig",
        "RetainDeploymentConfig",
    ),
)
_CAPACITIES = Members(("EndpointName", "DesiredWeightsAndCapacities"))
_ONE = Members(("EndpointName",))
_LIST = Members(
    (),
    (
        "SortBy",
        "SortOrder",
        "NextToken",
        "MaxResults",
        "NameContains",
        "CreationTimeBefore",
        "CreationTimeAfter",
        "LastModifiedTimeBefore",
        "LastModifiedTimeAfter",
        "StatusEquals",
    ),
)
_NAME_LENGTH = 63


@frozen
class Endpoints:
    """Create, describe, list, update and delete.

    A change is begun and returned from; `describe_endpoint` says when it is done.
    """

    premises: Premises
    store: EndpointStore
    configs: EndpointConfigs
    provisioner: Provisioner
    fleets: Fleets

    def create_endpoint(self, **request: Json) -> JsonObject:
        """Begin to create an endpoint."""
        _CREATE.check(request)
        name = check_name("EndpointName", request["EndpointName"], _NAME_LENGTH)
        config = request["EndpointConfigName"]
        self.configs.require(config)
        now = self.premises.now()
        endpoint = Endpoint(
            name,
            self.premises.arn(f"endpoint/{name}"),
            "Creating",
            config,
            now,
            now,
            wanted=config,
            change=_change(),
            deployment=request.get("DeploymentConfig") or {},
        )
        self.store.add(endpoint, request.get("Tags") or [])
        self.provisioner.attend(endpoint)
        return {"EndpointArn": endpoint.arn}

    def update_endpoint(self, **request: Json) -> JsonObject:
        """Begin to replace what an endpoint serves; the old fleet answers until the new one does.

        Raises:
            ServiceError: a change is under way, the endpoint has failed, it serves that config
                already, or a real-time variant would become serverless.
        """
        _UPDATE.check(request)
        endpoint = self._settled(request["EndpointName"])
        config = request["EndpointConfigName"]
        _check_direction(endpoint, self.configs.require(config))
        if config == endpoint.config:
            raise invalid(
                f'Cannot update endpoint "{endpoint.arn}": it serves the endpoint configuration'
                f" {config} already.",
                "create a config of another name",
            )
        keeps = request.get("RetainAllVariantProperties")
        deployment = request.get("DeploymentConfig") or {}
        if request.get("RetainDeploymentConfig"):
            deployment = endpoint.deployment
        return self._begin(
            replace(
                endpoint,
                wanted=config,
                desired=_retained(endpoint, request) if keeps else {},
                deployment=deployment,
            )
        )

    def update_endpoint_weights_and_capacities(self, **request: Json) -> JsonObject:
        """Begin to change weights and instance counts of variants."""
        _CAPACITIES.check(request)
        endpoint = self._settled(request["EndpointName"])
        known = {variant.name for variant in endpoint.variants}
        desired = dict(endpoint.desired)
        for change in request["DesiredWeightsAndCapacities"]:
            name = change.get("VariantName")
            if name not in known:
                raise invalid(f"the endpoint has no variant {name}", f"it has {', '.join(known)}")
            given = {key: value for key, value in change.items() if key.startswith("Desired")}
            desired[name] = {**desired.get(name, {}), **given}
        return self._begin(replace(endpoint, wanted=endpoint.config, desired=desired))

    def describe_endpoint(self, **request: Json) -> JsonObject:
        """Return an endpoint; one whose change nobody carries out is attended to."""
        _ONE.check(request)
        endpoint = self.store.find(request["EndpointName"])
        self.provisioner.attend(endpoint)
        described: JsonObject = {
            **_summary(endpoint),
            "EndpointConfigName": endpoint.config,
        }
        if endpoint.live is not None:
            described["ProductionVariants"] = [one.summary() for one in endpoint.variants]
        if endpoint.failure is not None:
            described["FailureReason"] = endpoint.failure
        if endpoint.deployment:
            described["LastDeploymentConfig"] = endpoint.deployment
        if endpoint.status == "Updating":
            described["PendingDeploymentSummary"] = {
                "EndpointConfigName": endpoint.wanted,
                "StartTime": moment(endpoint.modified),
            }
        return described

    def list_endpoints(self, **request: Json) -> JsonObject:
        """List endpoints, the newest first."""
        _LIST.check(request)
        sort = request.get("SortBy")
        check_choice("SortBy", sort, ("Name", "CreationTime", "Status"))
        found = [one for one in self.store.every() if _matches(one, request)]
        order = Order[Endpoint](
            lambda one: {"Name": (one.name,), "Status": (one.status, one.name)}.get(
                str(sort), (one.created, one.name)
            ),
            "Descending",
        )
        found, token = page(found, order, request)
        return {"Endpoints": [_summary(one) for one in found], **token}

    def delete_endpoint(self, **request: Json) -> JsonObject:
        """Delete an endpoint in any state; requests under way are answered."""
        _ONE.check(request)
        name = request["EndpointName"]
        self.store.remove(name)
        self.fleets.swap(name, None)
        return {}

    def _settled(self, name: str) -> Endpoint:
        endpoint = self.store.find(name)
        if endpoint.wanted is not None:
            self.provisioner.attend(endpoint)
            raise invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        if endpoint.status == "Failed":
            raise invalid(
                f'Cannot update endpoint "{endpoint.arn}" in status Failed.',
                "delete it and create it again",
            )
        return endpoint

    def _begin(self, endpoint: Endpoint) -> JsonObject:
        begun = replace(
            endpoint,
            status="Updating",
            change=_change(),
            modified=self.premises.now(),
            failure=None,
        )
        self.store.begin(begun)
        self.provisioner.attend(begun)
        return {"EndpointArn": endpoint.arn}


def _change() -> str:
    return os.urandom(8).hex()


def _check_direction(endpoint: Endpoint, config: JsonObject) -> None:
    becomes = {
        one["VariantName"]: "ServerlessConfig" in one for one in config["ProductionVariants"]
    }
    for variant in endpoint.variants:
        if not variant.serverless and any(becomes.values()):
            raise invalid(
                f'Cannot update endpoint "{endpoint.arn}": the variant {variant.name} cannot change'
                " from an instance to serverless.",
                "take another endpoint name, or delete this endpoint and create it again",
            )


def _retained(endpoint: Endpoint, request: JsonObject) -> JsonObject:
    """Keep weights and instance counts, but for those that the request excludes."""
    excluded = {
        one["VariantPropertyType"] for one in request.get("ExcludeRetainedVariantProperties") or []
    }
    retained = {}
    for variant in endpoint.variants:
        kept: JsonObject = {"DesiredWeight": variant.weight}
        if variant.instances:
            kept["DesiredInstanceCount"] = variant.instances
        retained[variant.name] = {
            name: value for name, value in kept.items() if name not in excluded
        }
    return retained


def _matches(endpoint: Endpoint, request: JsonObject) -> bool:
    wanted = request.get("StatusEquals")
    return (
        str(request.get("NameContains", "")) in endpoint.name
        and (wanted is None or endpoint.status == wanted)
        and within(endpoint.created, request, "CreationTimeAfter", "CreationTimeBefore")
        and within(endpoint.modified, request, "LastModifiedTimeAfter", "LastModifiedTimeBefore")
    )


def _summary(endpoint: Endpoint) -> JsonObject:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointStatus": endpoint.status,
        "CreationTime": moment(endpoint.created),
        "LastModifiedTime": moment(endpoint.modified),
    }
