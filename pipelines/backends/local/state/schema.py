"""The tables of the state, and the version that a file says it has."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pipelines.backends.local.state.errors import StateError

VERSION = 2
"""Kept as SQLite's `user_version`; a change of the tables raises it."""

_TABLES = """
CREATE TABLE pipelines (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, record TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL);
CREATE TABLE pipeline_versions (
    pipeline TEXT NOT NULL, version INTEGER NOT NULL, definition TEXT NOT NULL,
    created REAL NOT NULL, PRIMARY KEY (pipeline, version));
CREATE TABLE executions (
    id TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, pipeline TEXT NOT NULL,
    status TEXT NOT NULL, created REAL NOT NULL, modified REAL NOT NULL,
    definition TEXT NOT NULL, parameters TEXT NOT NULL, request TEXT NOT NULL,
    failure TEXT, token TEXT UNIQUE);
CREATE INDEX executions_by_pipeline ON executions (pipeline, created);
CREATE TABLE steps (
    execution TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,
    started REAL NOT NULL, ended REAL, attempts INTEGER NOT NULL, properties TEXT NOT NULL,
    metadata TEXT NOT NULL, outputs TEXT NOT NULL, reason TEXT, cache_key TEXT,
    cached_from TEXT, reused_from TEXT, PRIMARY KEY (execution, name));
CREATE INDEX steps_by_key ON steps (cache_key) WHERE cache_key IS NOT NULL;
CREATE TABLE package_groups (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, record TEXT NOT NULL,
    created REAL NOT NULL, last_version INTEGER NOT NULL DEFAULT 0);
CREATE TABLE packages (
    arn TEXT PRIMARY KEY, name TEXT NOT NULL, group_name TEXT, version INTEGER,
    record TEXT NOT NULL, created REAL NOT NULL, modified REAL, token TEXT UNIQUE,
    UNIQUE (group_name, version));
CREATE TABLE models (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, record TEXT NOT NULL,
    created REAL NOT NULL);
CREATE TABLE tags (
    arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key));
"""

_HOSTING = """
CREATE TABLE endpoint_configs (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, record TEXT NOT NULL,
    created REAL NOT NULL);
CREATE TABLE endpoints (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, status TEXT NOT NULL, config TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL, wanted TEXT, change TEXT NOT NULL, live TEXT,
    failure TEXT, record TEXT NOT NULL);
"""

_UPGRADES = {1: _HOSTING}
"""What each version lacks of the next one."""


def prepare(connection: sqlite3.Connection, file: Path) -> None:
    """Make the tables in a new file; bring those of an earlier version up to this one.

    Raises:
        StateError: the file's tables are of a later version.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if found == VERSION:
        return
    if tables and found not in _UPGRADES:
        raise StateError(
            f"the state {file} was made by a newer version of pipelines"
            f" (its format is {found}, this version reads {VERSION})",
            "use that version, or move the folder away and start afresh",
        )
    first = found if tables else 1
    scripts = [] if tables else [_TABLES]
    scripts += [_UPGRADES[version] for version in range(first, VERSION)]
    connection.executescript(f"BEGIN; {' '.join(scripts)} PRAGMA user_version = {VERSION}; COMMIT;")
