"""Endpoint configs: kept as they were asked for."""

from __future__ import annotations

import json
import sqlite3

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.hosting.store import EndpointStore
from pipelines.backends.local.registry.named import list_named
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.registry.tags import drop_tags, keep_tags
from pipelines.backends.local.requests import (
    Members,
    check_name,
    given,
    moment,
)
from pipelines.backends.local.state.database import dumps
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_KEPT = (
    "ProductionVariants",
    "DataCaptureConfig",
    "KmsKeyId",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ShadowProductionVariants",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "MetricsConfig",
    "CrossRegionTrafficConfig",
)
_CREATE = Members(("EndpointConfigName", "ProductionVariants"), (*_KEPT, "Tags"))
_ONE = Members(("EndpointConfigName",))
_NAME_LENGTH = 63
_MOST_VARIANTS = 10
_MEMORY_MB = (1024, 2048, 3072, 4096, 5120, 6144)


@frozen
class EndpointConfigs:
    """Create, describe, list and delete."""

    premises: Premises
    endpoints: EndpointStore

    def create_endpoint_config(self, **request: Json) -> JsonObject:
        """Keep a config."""
        _CREATE.check(request)
        name = check_name("EndpointConfigName", request["EndpointConfigName"], _NAME_LENGTH)
        arn = self.premises.arn(f"endpoint-config/{name}")
        _check_variants(request)
        with self.premises.database.transaction() as connection:
            for variant in request["ProductionVariants"]:
                self._require_model(connection, variant["ModelName"])
            query = "SELECT 1 FROM endpoint_configs WHERE name = ?"
            if connection.execute(query, (name,)).fetchone():
                raise invalid(f'Cannot create already existing endpoint configuration "{arn}".')
            connection.execute(
                "INSERT INTO endpoint_configs (name, arn, record, created) VALUES (?, ?, ?, ?)",
                (name, arn, dumps(given(request, _KEPT)), self.premises.now()),
            )
            keep_tags(connection, arn, request.get("Tags") or [])
        return {"EndpointConfigArn": arn}

    def describe_endpoint_config(self, **request: Json) -> JsonObject:
        """Return a config as it was created."""
        _ONE.check(request)
        row = self._row(request["EndpointConfigName"])
        return {**_summary(row), **json.loads(row["record"])}

    def list_endpoint_configs(self, **request: Json) -> JsonObject:
        """List configs, the newest first."""
        rows, token = list_named(self.premises.database, "endpoint_configs", request, "Descending")
        return {"EndpointConfigs": [_summary(row) for row in rows], **token}

    def delete_endpoint_config(self, **request: Json) -> JsonObject:
        """Forget a config that no endpoint serves or is about to."""
        _ONE.check(request)
        row = self._row(request["EndpointConfigName"])
        users = self.endpoints.users(row["name"])
        if users:
            raise invalid(
                f'Cannot delete endpoint configuration "{row["arn"]}":'
                f" it is in use by {', '.join(users)}."
            )
        with self.premises.database.transaction() as connection:
            connection.execute("DELETE FROM endpoint_configs WHERE name = ?", (row["name"],))
            drop_tags(connection, row["arn"])
        return {}

    def require(self, name: str) -> JsonObject:
        """Return what a config holds.

        Raises:
            ServiceError: there is none of that name.
        """
        record: JsonObject = json.loads(self._row(name)["record"])
        return record

    def _require_model(self, connection: sqlite3.Connection, name: str) -> None:
        if not connection.execute("SELECT 1 FROM models WHERE name = ?", (name,)).fetchone():
            raise invalid(f'Could not find model "{self.premises.arn(f"model/{name}")}".')

    def _row(self, name: str) -> sqlite3.Row:
        rows = self.premises.database.read("SELECT * FROM endpoint_configs WHERE name = ?", name)
        if not rows:
            arn = self.premises.arn(f"endpoint-config/{name}")
            raise invalid(f'Could not find endpoint configuration "{arn}".')
        return rows[0]


def _check_variants(request: JsonObject) -> None:
    variants = request["ProductionVariants"]
    if not 1 <= len(variants) <= _MOST_VARIANTS:
        raise invalid(f"{len(variants)} production variants; there can be 1 to {_MOST_VARIANTS}")
    names = [check_name("variantName", one.get("VariantName"), _NAME_LENGTH) for one in variants]
    if len(set(names)) < len(names):
        raise invalid("the production variants' names must be unique")
    for variant in variants:
        _check_variant(variant)
    if request.get("DataCaptureConfig") and any("ServerlessConfig" in one for one in variants):
        raise invalid("DataCaptureConfig is not supported for serverless variants.")


def _check_variant(variant: JsonObject) -> None:
    name, serverless = variant["VariantName"], variant.get("ServerlessConfig")
    if variant.get("ModelName") is None:
        raise invalid(f"the variant {name} has no ModelName")
    if serverless is None:
        for member in ("InstanceType", "InitialInstanceCount"):
            if variant.get(member) is None:
                raise invalid(f"the variant {name} has neither {member} nor ServerlessConfig")
        return
    if "InstanceType" in variant or "InitialInstanceCount" in variant:
        raise invalid(f"the variant {name} has an instance and a ServerlessConfig")
    if serverless.get("MemorySizeInMB") not in _MEMORY_MB:
        raise invalid(f"MemorySizeInMB must be one of {', '.join(map(str, _MEMORY_MB))}")
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        raise invalid(f"the variant {name} has more ProvisionedConcurrency than MaxConcurrency")


def _summary(row: sqlite3.Row) -> JsonObject:
    return {
        "EndpointConfigName": row["name"],
        "EndpointConfigArn": row["arn"],
        "CreationTime": moment(row["created"]),
    }
