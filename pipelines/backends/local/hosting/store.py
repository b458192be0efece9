"""The rows of endpoints: what each one serves, and the change that is under way."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import field, replace

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.hosting.variants import Variant
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.registry.tags import drop_tags, keep_tags
from pipelines.backends.local.state.database import dumps
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


@frozen
class Endpoint:
    """One endpoint; times are seconds since 1970.

    Args:
        name: its name.
        arn: its ARN.
        status: `Creating`, `Updating`, `InService` or `Failed`.
        config: the config that it serves, or will serve first.
        created: when it was created.
        modified: when its status changed last.
        wanted: the config that is being brought up, None where nothing is.
        change: names the change that was asked for last.
        live: names the change that is served, None before the first one is.
        variants: what is served.
        desired: weights and instance counts that differ from the config's, by variant.
        deployment: the DeploymentConfig of the last update.
        failure: why the last change failed.
    """

    name: str
    arn: str
    status: str
    config: str
    created: float
    modified: float
    wanted: str | None
    change: str
    live: str | None = None
    variants: Sequence[Variant] = ()
    desired: JsonObject = field(default_factory=dict)
    deployment: JsonObject = field(default_factory=dict)
    failure: str | None = None


@frozen
class EndpointStore:
    """Reads and writes endpoints; each write is one commit."""

    premises: Premises

    def add(self, endpoint: Endpoint, tags: list[JsonObject]) -> None:
        """Keep a new endpoint.

        Raises:
            ServiceError: there is one of that name.
        """
        with self.premises.database.transaction() as connection:
            if _row(connection, endpoint.name) is not None:
                raise invalid(f'Cannot create already existing endpoint "{endpoint.arn}".')
            _save(connection, endpoint)
            keep_tags(connection, endpoint.arn, tags)

    def find(self, name: str) -> Endpoint:
        """Find an endpoint.

        Raises:
            ServiceError: there is none of that name.
        """
        rows = self.premises.database.read("SELECT * FROM endpoints WHERE name = ?", name)
        if not rows:
            raise self._missing(name)
        return _endpoint(rows[0])

    def every(self) -> list[Endpoint]:
        """List all endpoints."""
        return [_endpoint(row) for row in self.premises.database.read("SELECT * FROM endpoints")]

    def users(self, config: str) -> list[str]:
        """Name the endpoints that serve a config, or will."""
        rows = self.premises.database.read(
            "SELECT name FROM endpoints WHERE config = ?1 OR wanted = ?1 ORDER BY name", config
        )
        return [row["name"] for row in rows]

    def begin(self, endpoint: Endpoint) -> None:
        """Record that a settled endpoint is to change.

        Raises:
            ServiceError: another change is under way, or the endpoint is gone.
        """
        with self.premises.database.transaction() as connection:
            row = _row(connection, endpoint.name)
            if row is None:
                raise self._missing(endpoint.name)
            if row["wanted"] is not None:
                raise invalid(f'Cannot update in-progress endpoint "{endpoint.arn}".')
            _save(connection, endpoint)

    def succeed(self, endpoint: Endpoint, variants: Sequence[Variant]) -> Endpoint | None:
        """Record that the change is served; None when another one has been asked for since."""
        return self._end(
            replace(
                endpoint,
                status="InService",
                config=endpoint.wanted or endpoint.config,
                live=endpoint.change,
                variants=variants,
                failure=None,
            )
        )

    def fail(self, endpoint: Endpoint, reason: str) -> Endpoint | None:
        """Record that a change failed: what was served before goes on, as the service's rollback.

        An endpoint that never served anything is Failed.
        """
        status = "Failed" if endpoint.live is None else "InService"
        return self._end(replace(endpoint, status=status, failure=reason[:1024]))

    def remove(self, name: str) -> None:
        """Forget an endpoint.

        Raises:
            ServiceError: there is none of that name.
        """
        with self.premises.database.transaction() as connection:
            row = _row(connection, name)
            if row is None:
                raise self._missing(name)
            connection.execute("DELETE FROM endpoints WHERE name = ?", (name,))
            drop_tags(connection, row["arn"])

    def _end(self, endpoint: Endpoint) -> Endpoint | None:
        ended = replace(endpoint, wanted=None, modified=self.premises.now())
        with self.premises.database.transaction() as connection:
            row = _row(connection, endpoint.name)
            if row is None or row["change"] != endpoint.change or row["wanted"] is None:
                return None
            _save(connection, ended)
        return ended

    def _missing(self, name: str) -> Exception:
        return invalid(f'Could not find endpoint "{self.premises.arn(f"endpoint/{name}")}".')


def _row(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM endpoints WHERE name = ?", (name,)
    ).fetchone()
    return row


def _save(connection: sqlite3.Connection, endpoint: Endpoint) -> None:
    record = {
        "variants": [variant.record() for variant in endpoint.variants],
        "desired": endpoint.desired,
        "deployment": endpoint.deployment,
    }
    connection.execute(
        "INSERT OR REPLACE INTO endpoints (name, arn, status, config, created, modified, wanted, "
        "change, live, failure, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            endpoint.name,
            endpoint.arn,
            endpoint.status,
            endpoint.config,
            endpoint.created,
            endpoint.modified,
            endpoint.wanted,
            endpoint.change,
            endpoint.live,
            endpoint.failure,
            dumps(record),
        ),
    )


def _endpoint(row: sqlite3.Row) -> Endpoint:
    values = dict(row)
    record = json.loads(values.pop("record"))
    record["variants"] = tuple(Variant(**variant) for variant in record["variants"])
    return Endpoint(**values, **record)
