"""An endpoint config → its production variants, each with the container that it serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.backends.local.hosting.values import (
    ASYNCHRONOUS_SECONDS,
    INVOCATION_SECONDS,
    FleetError,
    FleetSpec,
)
from pipelines.backends.local.state.endpoints import VariantRecord
from pipelines.backends.local.state.local_state import LocalState
from pipelines.json_types import JsonObject


def resolve_variants(
    state: LocalState, config: str, desired: Mapping[str, JsonObject]
) -> tuple[VariantRecord, ...]:
    """Resolve the variants of a config through models and model packages.

    Args:
        state: the stores.
        config: the config's name.
        desired: weights and instance counts that override the config's, by variant.

    Raises:
        FleetError: the config, a model or a package was deleted, or cannot be served locally.
    """
    record = state.endpoint_configs.find(config)
    if record is None:
        raise FleetError(f"the endpoint configuration {config} no longer exists")
    production, shadow = (
        [
            replace(
                _variant(state, variant, desired.get(variant["VariantName"], {})),
                asynchronous=record.content.get("AsyncInferenceConfig"),
                capture=record.content.get("DataCaptureConfig"),
                shadow=member == "ShadowProductionVariants",
            )
            for variant in record.content.get(member) or ()
        ]
        for member in ("ProductionVariants", "ShadowProductionVariants")
    )
    return (*production, *shadow)


def model_container(state: LocalState, name: str) -> JsonObject:
    """Return the container of a model, out of its package where it names one.

    Raises:
        FleetError: model or package were deleted, or cannot be served locally.
    """
    model = state.models.find(name)
    if model is None:
        raise FleetError(f"the model {name} no longer exists")
    containers = model.content.get("Containers") or [model.content.get("PrimaryContainer") or {}]
    if len(containers) > 1:
        raise FleetError(
            f"the model {name} is an inference pipeline of several containers, which is not"
            " supported locally"
        )
    (container,) = containers
    package = container.get("ModelPackageName")
    return container if package is None else package_container(state, package, container)


def fleet_spec(endpoint: str, variant: VariantRecord, folder: Path) -> FleetSpec:
    """Return what a variant's fleet serves: a server per instance, or per concurrent request."""
    serverless = variant.serverless
    count = int(serverless["MaxConcurrency"]) if serverless else at_once(variant)
    log = folder / f"{variant.name}.log"
    name = f"{endpoint}/{variant.name}"
    seconds = ASYNCHRONOUS_SECONDS if variant.asynchronous else INVOCATION_SECONDS
    spec = FleetSpec(name, variant.container, count, serverless is not None, log)
    return replace(spec, invocation_seconds=seconds)


def at_once(variant: VariantRecord) -> int:
    """Return how many requests the instances of a variant process at once."""
    client = (variant.asynchronous or {}).get("ClientConfig") or {}
    return variant.instances * int(client.get("MaxConcurrentInvocationsPerInstance", 1))


def _variant(state: LocalState, configured: JsonObject, desired: JsonObject) -> VariantRecord:
    serverless = configured.get("ServerlessConfig")
    weight = desired.get("DesiredWeight", configured.get("InitialVariantWeight"))
    count = desired.get("DesiredInstanceCount") or configured.get("InitialInstanceCount")
    return VariantRecord(
        configured["VariantName"],
        model_container(state, configured["ModelName"]),
        1.0 if weight is None else float(weight),
        0 if serverless else int(count or 1),
        serverless,
    )


def package_container(state: LocalState, arn: str, container: JsonObject) -> JsonObject:
    """Return a package's container; the environment of the model's own takes precedence.

    Args:
        state: the stores.
        arn: the package.
        container: the model's own container; empty where there is no model.

    Raises:
        FleetError: the package was deleted, or has not exactly one container.
    """
    package = state.packages.find(arn)
    if package is None:
        raise FleetError(f"the model package {arn} no longer exists")
    containers = (package.content.get("InferenceSpecification") or {}).get("Containers") or []
    if len(containers) != 1:
        raise FleetError(f"the model package {arn} has {len(containers)} containers, not one")
    (packaged,) = containers
    variables = {**(packaged.get("Environment") or {}), **(container.get("Environment") or {})}
    kept = ("Image", "ModelDataUrl", "ModelDataSource")
    return {**{name: packaged[name] for name in kept if name in packaged}, "Environment": variables}
