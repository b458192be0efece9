"""Endpoints: what each one serves, and the change that is in progress."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import field, replace

from pipelines.backends.local.state.database import Database, dumps, from_row, upsert
from pipelines.backends.local.state.resources import TagStore
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_COLUMNS = (
    *("name", "arn", "status", "config", "created", "modified", "wanted", "change", "live"),
    *("failure", "record"),
)
_SAVE = upsert("endpoints", _COLUMNS, "name")


@frozen
class VariantRecord:
    """A production variant, as it is or will be served.

    Args:
        name: its name.
        container: `Image`, `ModelDataUrl`, `Environment`.
        weight: its share of the requests, relative to the other variants' weights.
        instances: the instance count; 0 for a serverless variant.
        serverless: its ServerlessConfig; None for a real-time variant.
        asynchronous: the AsyncInferenceConfig of its endpoint; None where it has none.
        capture: the DataCaptureConfig of its endpoint; None where it has none.
        shadow: whether it only gets copies of requests.
        stub: why no model answers in its place; None where one does.
    """

    name: str
    container: JsonObject
    weight: float
    instances: int
    serverless: JsonObject | None = None
    asynchronous: JsonObject | None = None
    stub: str | None = None
    capture: JsonObject | None = None
    shadow: bool = False


@frozen
class EndpointRecord:
    """One endpoint; times are seconds since 1970.

    Args:
        name: its name.
        arn: its ARN.
        status: `Creating`, `Updating`, `InService` or `Failed`.
        config: the config that it serves, or will serve first.
        created: when it was created.
        modified: when its status changed last.
        pending_config: the config that is being provisioned; None when no change is in progress.
        change: identifies the change that was requested last.
        live_change: identifies the change that is served; None before the first one is.
        variants: what is served.
        desired: weights and instance counts that differ from the config's, by variant.
        deployment: the DeploymentConfig of the last update.
        failure: why the last change failed.
        scaling: what is registered with Application Auto Scaling, by resource and dimension.
    """

    name: str
    arn: str
    status: str
    config: str
    created: float
    modified: float
    pending_config: str | None
    change: str
    live_change: str | None = None
    variants: Sequence[VariantRecord] = ()
    desired: JsonObject = field(default_factory=dict)
    deployment: JsonObject = field(default_factory=dict)
    failure: str | None = None
    scaling: JsonObject = field(default_factory=dict)


class EndpointStore:
    """The table `endpoints`."""

    def __init__(self, database: Database, tags: TagStore) -> None:
        self._database = database
        self._tags = tags
        self._looked: dict[str, tuple[int | None, EndpointRecord]] = {}

    def add(self, endpoint: EndpointRecord, tags: list[JsonObject]) -> bool:
        """Add an endpoint with its tags; return False when the name is taken."""
        with self._database.transaction():
            if self.find(endpoint.name) is not None:
                return False
            self.save(endpoint)
            self._tags.add(endpoint.arn, tags)
        return True

    def save(self, endpoint: EndpointRecord) -> None:
        """Write an endpoint as it is now."""
        content = {
            "variants": [_variant_content(variant) for variant in endpoint.variants],
            "desired": endpoint.desired,
            "deployment": endpoint.deployment,
            "scaling": endpoint.scaling,
        }
        with self._database.transaction() as connection:
            connection.execute(
                _SAVE,
                (
                    endpoint.name,
                    endpoint.arn,
                    endpoint.status,
                    endpoint.config,
                    endpoint.created,
                    endpoint.modified,
                    endpoint.pending_config,
                    endpoint.change,
                    endpoint.live_change,
                    endpoint.failure,
                    dumps(content),
                ),
            )

    def finish(self, endpoint: EndpointRecord) -> bool:
        """Save an endpoint whose change has ended, unless another one was requested meanwhile."""
        with self._database.transaction():
            current = self.find(endpoint.name)
            if current is None or current.pending_config is None:
                return False
            if current.change != endpoint.change:
                return False
            self.save(replace(endpoint, scaling=current.scaling))
        return True

    def find(self, name: str) -> EndpointRecord | None:
        """Find an endpoint by its name."""
        rows = self._database.read("SELECT * FROM endpoints WHERE name = ?", name)
        return _endpoint(rows[0]) if rows else None

    def look(self, name: str) -> EndpointRecord | None:
        """Find an endpoint as `find` does, outside any transaction, and remember it for `known`."""
        version = self._database.watch.version()  # first: what changes from now on makes it old
        endpoint = self.find(name)
        if endpoint is not None:
            self._looked[name] = version, endpoint
        return endpoint

    def known(self, name: str) -> EndpointRecord | None:
        """Return what `look` found last if nothing in the file has changed since; never wait."""
        version, endpoint = self._looked.get(name, (None, None))
        is_current = version is not None and version == self._database.watch.version()
        return endpoint if is_current else None

    def all(self) -> list[EndpointRecord]:
        """List all endpoints."""
        return [_endpoint(row) for row in self._database.read("SELECT * FROM endpoints")]

    def remove(self, endpoint: EndpointRecord) -> None:
        """Remove an endpoint and its tags."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM endpoints WHERE name = ?", (endpoint.name,))
            self._tags.remove_all(endpoint.arn)


def _variant_content(variant: VariantRecord) -> JsonObject:
    return {
        "name": variant.name,
        "container": variant.container,
        "weight": variant.weight,
        "instances": variant.instances,
        "serverless": variant.serverless,
        "asynchronous": variant.asynchronous,
        "capture": variant.capture,
        "shadow": variant.shadow,
        "stub": variant.stub,
    }


@from_row
def _endpoint(row: sqlite3.Row) -> EndpointRecord:
    content = json.loads(row["record"])
    return EndpointRecord(
        name=row["name"],
        arn=row["arn"],
        status=row["status"],
        config=row["config"],
        created=row["created"],
        modified=row["modified"],
        pending_config=row["wanted"],
        change=row["change"],
        live_change=row["live"],
        variants=tuple(VariantRecord(**variant) for variant in content["variants"]),
        desired=content["desired"],
        deployment=content["deployment"],
        failure=row["failure"],
        scaling=content.get("scaling", {}),
    )
