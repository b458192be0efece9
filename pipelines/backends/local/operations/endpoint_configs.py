"""Endpoint configs: kept as they were created."""

from __future__ import annotations

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.object_uris import parse_uri
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.requests import (
    all_but,
    moment,
    page_named,
)
from pipelines.backends.local.operations.type_rules import check_rules
from pipelines.backends.local.state.resources import NamedRecord
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.endpoint_config import STEP_TYPE

_MOST_VARIANTS = 10
_MEMORY_MB = (1024, 2048, 3072, 4096, 5120, 6144)


@frozen
class EndpointConfigOperations:
    """Create, describe, list and delete."""

    context: OperationContext
    objects: ObjectStore

    @operation("CreateEndpointConfig")
    def create_endpoint_config(self, **request: Json) -> JsonObject:
        """Create a config."""
        name = request["EndpointConfigName"]
        arn, state = self.context.arn(f"endpoint-config/{name}"), self.context.state
        _check_variants(request)
        check_rules(STEP_TYPE, request)
        content = all_but(request, "EndpointConfigName", "Tags")
        record = NamedRecord(name, arn, content, self.context.now())
        with state.transaction():
            for variant in request["ProductionVariants"]:
                model = variant["ModelName"]
                if state.models.find(model) is None:
                    raise invalid(f'Could not find model "{self.context.arn(f"model/{model}")}".')
            if not state.endpoint_configs.add(record, request.get("Tags") or []):
                raise invalid(f'Cannot create already existing endpoint configuration "{arn}".')
        asynchronous = request.get("AsyncInferenceConfig")
        if asynchronous is not None:
            self._keep_buckets(asynchronous["OutputConfig"])
        return {"EndpointConfigArn": arn}

    def _keep_buckets(self, output: JsonObject) -> None:
        """Make the buckets of answers and errors, as those of a job's outputs come with it."""
        for member in ("S3OutputPath", "S3FailurePath"):
            if member in output:
                bucket = parse_uri(output[member]).bucket
                (self.objects.root / bucket).mkdir(parents=True, exist_ok=True)

    @operation("DescribeEndpointConfig")
    def describe_endpoint_config(self, **request: Json) -> JsonObject:
        """Return a config as it was created."""
        config = require_config(self.context, request["EndpointConfigName"])
        return {**_summary(config), **config.content}

    @operation("ListEndpointConfigs")
    def list_endpoint_configs(self, **request: Json) -> JsonObject:
        """List configs, the newest first."""
        configs = self.context.state.endpoint_configs.all()
        configs, token = page_named(configs, request, "Descending")
        return {"EndpointConfigs": [_summary(config) for config in configs], **token}

    @operation("DeleteEndpointConfig")
    def delete_endpoint_config(self, **request: Json) -> JsonObject:
        """Delete a config; endpoints that serve it go on, as in the service."""
        config = require_config(self.context, request["EndpointConfigName"])
        self.context.state.endpoint_configs.remove(config)
        return {}


def require_config(context: OperationContext, name: str) -> NamedRecord:
    """Find a config.

    Raises:
        ServiceError: there is none of that name.
    """
    config = context.state.endpoint_configs.find(name)
    if config is None:
        arn = context.arn(f"endpoint-config/{name}")
        raise invalid(f'Could not find endpoint configuration "{arn}".')
    return config


def _check_variants(request: JsonObject) -> None:
    variants = request["ProductionVariants"]
    if not 1 <= len(variants) <= _MOST_VARIANTS:
        raise invalid(f"{len(variants)} production variants; there must be 1 to {_MOST_VARIANTS}")
    names = [one.get("VariantName") for one in variants]
    if len(set(names)) < len(names):
        raise invalid("the production variants' names must be unique")
    for variant in variants:
        _check_variant(variant)
    serverless = any("ServerlessConfig" in one for one in variants)
    if request.get("DataCaptureConfig") and serverless:
        raise invalid("DataCaptureConfig is not supported for serverless variants.")
    if request.get("ShadowProductionVariants"):
        _check_shadow(request, serverless)
    if request.get("AsyncInferenceConfig"):
        _check_asynchronous(request, serverless)


def _check_shadow(request: JsonObject, serverless: bool) -> None:  # noqa: FBT001 - a fact
    shadows = request["ShadowProductionVariants"]
    if serverless or any("ServerlessConfig" in one for one in shadows):
        raise invalid("ShadowProductionVariants is not supported for serverless variants.")
    if len(shadows) > 1 or len(request["ProductionVariants"]) > 1:
        raise invalid(
            "an endpoint with a shadow variant has one of them and one production variant"
        )
    if shadows[0].get("VariantName") == request["ProductionVariants"][0]["VariantName"]:
        raise invalid("the variants' names must be unique")
    _check_variant(shadows[0])


def _check_asynchronous(request: JsonObject, serverless: bool) -> None:  # noqa: FBT001 - a fact
    for member in ("DataCaptureConfig", "ShadowProductionVariants"):
        if request.get(member):
            raise invalid(f"{member} is not supported for asynchronous endpoints.")
    if not request["AsyncInferenceConfig"]["OutputConfig"].get("S3OutputPath"):
        raise invalid("an asynchronous endpoint needs an S3OutputPath here")
    if serverless:
        raise invalid("AsyncInferenceConfig is not supported for serverless variants.")
    if len(request["ProductionVariants"]) > 1:
        raise invalid("an asynchronous endpoint has exactly one production variant")


def _check_variant(variant: JsonObject) -> None:
    name, serverless = variant["VariantName"], variant.get("ServerlessConfig")
    if variant.get("ModelName") is None:
        raise invalid(f"the variant {name} has no ModelName")
    if serverless is None:
        _check_instances(variant)
        return
    if {"InstanceType", "InstancePools", "InitialInstanceCount"} & variant.keys():
        raise invalid(
            f"the variant {name} has both an instance and a ServerlessConfig", "remove one of them"
        )
    if serverless.get("MemorySizeInMB") not in _MEMORY_MB:
        raise invalid(f"MemorySizeInMB must be one of {', '.join(map(str, _MEMORY_MB))}")
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        raise invalid(f"the variant {name} has more ProvisionedConcurrency than MaxConcurrency")


def _check_instances(variant: JsonObject) -> None:
    name = variant["VariantName"]
    if variant.get("InstanceType") is not None and variant.get("InstancePools"):
        message = f"the variant {name} has both an InstanceType and InstancePools"
        raise invalid(message, "remove one of them")
    kinds = ("InstanceType", "InstancePools")
    if not any(variant.get(one) for one in kinds):
        raise invalid(f"the variant {name} has neither InstanceType nor ServerlessConfig")
    if variant.get("InitialInstanceCount") is None:
        raise invalid(f"the variant {name} has neither InitialInstanceCount nor ServerlessConfig")


def _summary(config: NamedRecord) -> JsonObject:
    return {
        "EndpointConfigName": config.name,
        "EndpointConfigArn": config.arn,
        "CreationTime": moment(config.created),
    }
