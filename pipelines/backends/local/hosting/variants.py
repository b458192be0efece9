"""An endpoint config → its production variants, each with the container that it serves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pipelines.backends.local.model_server.values import FleetError, FleetSpec
from pipelines.backends.local.state.database import Database
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


@frozen
class Variant:
    """A production variant, as it is or will be served.

    Args:
        name: its name.
        container: `Image`, `ModelDataUrl`, `Environment`.
        weight: its share of the requests, against the other variants' weights.
        instances: the instance count; 0 for a serverless one.
        serverless: its ServerlessConfig; None for a real-time one.
    """

    name: str
    container: JsonObject
    weight: float
    instances: int
    serverless: JsonObject | None = None

    def record(self) -> JsonObject:
        """Write it as JSON, with which a Variant can be made again."""
        return {
            "name": self.name,
            "container": self.container,
            "weight": self.weight,
            "instances": self.instances,
            "serverless": self.serverless,
        }

    def spec(self, endpoint: str, folder: Path) -> FleetSpec:
        """Say what its fleet is: one model server per instance, or per concurrent request."""
        count = int(self.serverless["MaxConcurrency"]) if self.serverless else self.instances
        log = folder / f"{self.name}.log"
        return FleetSpec(
            f"{endpoint}/{self.name}", self.container, count, self.serverless is not None, log
        )

    def summary(self) -> JsonObject:
        """Write its ProductionVariantSummary."""
        image = self.container.get("Image")
        images = [{"SpecifiedImage": image, "ResolvedImage": image}] if image else []
        if self.serverless:
            size: JsonObject = {
                "CurrentServerlessConfig": self.serverless,
                "DesiredServerlessConfig": self.serverless,
            }
        else:
            size = {"CurrentInstanceCount": self.instances, "DesiredInstanceCount": self.instances}
        return {
            "VariantName": self.name,
            "DeployedImages": images,
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight,
            **size,
        }


def variants_of(
    database: Database, config: str, desired: Mapping[str, JsonObject]
) -> tuple[Variant, ...]:
    """Resolve the variants of a config through models and model packages.

    Args:
        database: the state.
        config: the config's name.
        desired: weights and instance counts that override the config's, by variant.

    Raises:
        FleetError: the config, a model or a package is gone, or it is nothing that runs here.
    """
    rows = database.read("SELECT record FROM endpoint_configs WHERE name = ?", config)
    if not rows:
        raise FleetError(f"the endpoint configuration {config} does not exist any more")
    return tuple(
        _variant(database, given, desired.get(given["VariantName"], {}))
        for given in json.loads(rows[0]["record"])["ProductionVariants"]
    )


def _variant(database: Database, given: JsonObject, desired: JsonObject) -> Variant:
    serverless = given.get("ServerlessConfig")
    weight = desired.get("DesiredWeight", given.get("InitialVariantWeight"))
    count = desired.get("DesiredInstanceCount") or given.get("InitialInstanceCount")
    return Variant(
        given["VariantName"],
        _container(database, given["ModelName"]),
        1.0 if weight is None else float(weight),
        0 if serverless else int(count or 1),
        serverless,
    )


def _container(database: Database, model: str) -> JsonObject:
    rows = database.read("SELECT record FROM models WHERE name = ?", model)
    if not rows:
        raise FleetError(f"the model {model} does not exist any more")
    record = json.loads(rows[0]["record"])
    containers = record.get("Containers") or [record.get("PrimaryContainer") or {}]
    if len(containers) > 1:
        raise FleetError(f"the model {model} is a chain of containers, which does not run here")
    (container,) = containers
    package = container.get("ModelPackageName")
    return container if package is None else _of_package(database, package, container)


def _of_package(database: Database, arn: str, container: JsonObject) -> JsonObject:
    """Take the container out of a package; the model's own environment goes on top."""
    rows = database.read("SELECT record FROM packages WHERE arn = ?", arn)
    if not rows:
        raise FleetError(f"the model package {arn} does not exist any more")
    specification = json.loads(rows[0]["record"]).get("InferenceSpecification") or {}
    containers = specification.get("Containers") or []
    if len(containers) != 1:
        raise FleetError(f"the model package {arn} has {len(containers)} containers, not one")
    (packaged,) = containers
    variables = {**(packaged.get("Environment") or {}), **(container.get("Environment") or {})}
    kept = ("Image", "ModelDataUrl", "ModelDataSource")
    return {**{name: packaged[name] for name in kept if name in packaged}, "Environment": variables}
