"""Endpoints: created, described, listed, updated and deleted. `Provisioner` carries changes out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from pipelines.backends.local.errors import ServiceError, invalid
from pipelines.backends.local.hosting.provisioner import Provisioner, ServedEndpoints
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.endpoint_configs import require_config
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.requests import (
    SortKey,
    moment,
    page,
    within,
)
from pipelines.backends.local.state.endpoints import EndpointRecord, VariantRecord
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject


@frozen
class EndpointOperations:
    """The operations on endpoints.

    A change is requested here and carried out in the background; `describe_endpoint` shows when
    it has ended.
    """

    context: OperationContext
    provisioner: Provisioner
    served: ServedEndpoints

    @operation("CreateEndpoint")
    def create_endpoint(self, **request: Json) -> JsonObject:
        """Start to create an endpoint."""
        name = request["EndpointName"]
        config = require_config(self.context, request["EndpointConfigName"]).name
        now = self.context.now()
        endpoint = EndpointRecord(
            name,
            self.context.arn(f"endpoint/{name}"),
            "Creating",
            config,
            now,
            now,
            pending_config=config,
            change=_new_change(),
            deployment=request.get("DeploymentConfig") or {},
        )
        if not self.context.state.endpoints.add(endpoint, request.get("Tags") or []):
            raise invalid(f'Cannot create already existing endpoint "{endpoint.arn}".')
        self.provisioner.ensure_running(endpoint)
        return {"EndpointArn": endpoint.arn}

    @operation("UpdateEndpoint")
    def update_endpoint(self, **request: Json) -> JsonObject:
        """Start to replace what an endpoint serves; the old fleet serves until the new one does.

        Raises:
            ServiceError: a change is in progress, the endpoint has failed, it already serves that
                config, or a real-time variant would become serverless.
        """
        endpoint = self._require_idle(request["EndpointName"])
        config = require_config(self.context, request["EndpointConfigName"])
        _check_direction(endpoint, config.content)
        if config.name == endpoint.config:
            raise invalid(
                f'Cannot update endpoint "{endpoint.arn}": it already serves the endpoint'
                f" configuration {config.name}.",
                "create a config with another name",
            )
        keeps = request.get("RetainAllVariantProperties")
        deployment = request.get("DeploymentConfig") or {}
        if request.get("RetainDeploymentConfig"):
            deployment = endpoint.deployment
        return self._start_change(
            replace(
                endpoint,
                pending_config=config.name,
                desired=_retained(endpoint, request) if keeps else {},
                deployment=deployment,
            )
        )

    @operation("UpdateEndpointWeightsAndCapacities")
    def update_endpoint_weights_and_capacities(self, **request: Json) -> JsonObject:
        """Start to change weights and instance counts of variants."""
        endpoint = self._require_idle(request["EndpointName"])
        known = {variant.name for variant in endpoint.variants}
        desired = dict(endpoint.desired)
        for change in request["DesiredWeightsAndCapacities"]:
            name = change.get("VariantName")
            if name not in known:
                raise invalid(
                    f"the endpoint has no variant {name}", f"its variants are {', '.join(known)}"
                )
            members = {key: value for key, value in change.items() if key.startswith("Desired")}
            desired[name] = {**desired.get(name, {}), **members}
        return self._start_change(
            replace(endpoint, pending_config=endpoint.config, desired=desired)
        )

    @operation("DescribeEndpoint")
    def describe_endpoint(self, **request: Json) -> JsonObject:
        """Return an endpoint; a pending change that no process carries out is taken over."""
        endpoint = self._require(request["EndpointName"])
        self.provisioner.ensure_running(endpoint)
        described: JsonObject = {
            **_summary(endpoint),
            "EndpointConfigName": endpoint.config,
        }
        if endpoint.live_change is not None:
            described |= _served(endpoint.variants)
            asynchronous = endpoint.variants[0].asynchronous
            if asynchronous is not None:
                described["AsyncInferenceConfig"] = asynchronous
        if endpoint.failure is not None:
            described["FailureReason"] = endpoint.failure
        if endpoint.deployment:
            described["LastDeploymentConfig"] = endpoint.deployment
        if endpoint.status == "Updating":
            described["PendingDeploymentSummary"] = {
                "EndpointConfigName": endpoint.pending_config,
                "StartTime": moment(endpoint.modified),
            }
        return described

    @operation("ListEndpoints")
    def list_endpoints(self, **request: Json) -> JsonObject:
        """List endpoints, the newest first."""
        sort_by = request.get("SortBy")
        endpoints = [one for one in self.context.state.endpoints.all() if _matches(one, request)]
        order = SortKey[EndpointRecord](
            lambda one: {"Name": (one.name,), "Status": (one.status, one.name)}.get(
                str(sort_by), (one.created, one.name)
            ),
            "Descending",
        )
        endpoints, token = page(endpoints, order, request)
        return {"Endpoints": [_summary(one) for one in endpoints], **token}

    @operation("DeleteEndpoint")
    def delete_endpoint(self, **request: Json) -> JsonObject:
        """Delete an endpoint in any state; running requests finish."""
        with self.context.state.transaction():
            endpoint = self._require(request["EndpointName"])
            self.context.state.endpoints.remove(endpoint)
        self.served.swap(endpoint.name, None)
        return {}

    def _require(self, name: str) -> EndpointRecord:
        endpoint = self.context.state.endpoints.find(name)
        if endpoint is None:
            raise _missing(self.context, name)
        return endpoint

    def _require_idle(self, name: str) -> EndpointRecord:
        endpoint = self._require(name)
        if endpoint.pending_config is not None:
            self.provisioner.ensure_running(endpoint)
            raise invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        if endpoint.status == "Failed":
            raise invalid(
                f'Cannot update endpoint "{endpoint.arn}" in status Failed.',
                "delete it and create it again",
            )
        return endpoint

    def _start_change(self, endpoint: EndpointRecord) -> JsonObject:
        started = replace(
            endpoint,
            status="Updating",
            change=_new_change(),
            modified=self.context.now(),
            failure=None,
        )
        with self.context.state.transaction():
            current = self._require(endpoint.name)
            if current.pending_config is not None:
                raise invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')
            self.context.state.endpoints.save(replace(started, scaling=current.scaling))
        self.provisioner.ensure_running(started)
        return {"EndpointArn": endpoint.arn}


def _missing(context: OperationContext, name: str) -> ServiceError:
    return invalid(f'Could not find endpoint "{context.arn(f"endpoint/{name}")}".')


def _new_change() -> str:
    return os.urandom(8).hex()


def _check_direction(endpoint: EndpointRecord, config: JsonObject) -> None:
    becomes_serverless = any("ServerlessConfig" in one for one in config["ProductionVariants"])
    becomes_asynchronous = "AsyncInferenceConfig" in config
    for variant in endpoint.variants:
        if bool(variant.asynchronous) != becomes_asynchronous:
            raise invalid(
                f'Cannot update endpoint "{endpoint.arn}": asynchronous inference cannot be'
                f" switched {'on' if becomes_asynchronous else 'off'}.",
                "use another endpoint name, or delete this endpoint and create it again",
            )
        if not variant.serverless and becomes_serverless:
            raise invalid(
                f'Cannot update endpoint "{endpoint.arn}": the variant {variant.name} cannot change'
                " from an instance to serverless.",
                "use another endpoint name, or delete this endpoint and create it again",
            )


def _retained(endpoint: EndpointRecord, request: JsonObject) -> JsonObject:
    """Return the weights and instance counts to keep: all but those that the request excludes."""
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


def _served(variants: Sequence[VariantRecord]) -> JsonObject:
    """Return what DescribeEndpoint says of the variants, and of what is kept of their requests."""
    summaries = {False: list[JsonObject](), True: list[JsonObject]()}
    for one in variants:
        summaries[one.shadow].append(_variant_summary(one))
    served: JsonObject = {"ProductionVariants": summaries[False]}
    if summaries[True]:
        served["ShadowProductionVariants"] = summaries[True]
    capture = variants[0].capture
    if capture is not None:
        enabled = capture.get("EnableCapture", True)
        served["DataCaptureConfig"] = {
            "EnableCapture": enabled,
            "CaptureStatus": "Started" if enabled else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }
    return served


def _matches(endpoint: EndpointRecord, request: JsonObject) -> bool:
    status = request.get("StatusEquals")
    return (
        str(request.get("NameContains", "")) in endpoint.name
        and (status is None or endpoint.status == status)
        and within(endpoint.created, request, "CreationTimeAfter", "CreationTimeBefore")
        and within(endpoint.modified, request, "LastModifiedTimeAfter", "LastModifiedTimeBefore")
    )


def _summary(endpoint: EndpointRecord) -> JsonObject:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointStatus": endpoint.status,
        "CreationTime": moment(endpoint.created),
        "LastModifiedTime": moment(endpoint.modified),
    }


def _variant_summary(variant: VariantRecord) -> JsonObject:
    """Return a ProductionVariantSummary."""
    image = variant.container.get("Image")
    resolved = f"stub: {variant.stub}" if variant.stub else image
    images = [{"SpecifiedImage": image, "ResolvedImage": resolved}] if image else []
    if variant.serverless:
        size: JsonObject = {
            "CurrentServerlessConfig": variant.serverless,
            "DesiredServerlessConfig": variant.serverless,
        }
    else:
        size = {
            "CurrentInstanceCount": variant.instances,
            "DesiredInstanceCount": variant.instances,
        }
    return {
        "VariantName": variant.name,
        "DeployedImages": images,
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.weight,
        **size,
    }
