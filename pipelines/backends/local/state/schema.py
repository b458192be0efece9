"""The tables of the state, and the scripts that upgrade earlier versions of them."""

from __future__ import annotations

from pipelines.backends.local.state.triggers import change_tables

VERSION = 5
"""Stored as SQLite's `user_version`; incremented when the tables change."""

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

_ENDPOINTS = """
CREATE TABLE endpoint_configs (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, record TEXT NOT NULL,
    created REAL NOT NULL);
CREATE TABLE endpoints (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, status TEXT NOT NULL, config TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL, wanted TEXT, change TEXT NOT NULL, live TEXT,
    failure TEXT, record TEXT NOT NULL);
"""

_MANY_EXECUTIONS = """
CREATE INDEX executions_by_version ON executions (
    pipeline, json_extract(request, '$.PipelineVersionId'), created);
DROP INDEX steps_by_key;
CREATE INDEX steps_by_key ON steps (cache_key, name, ended)
    WHERE cache_key IS NOT NULL AND status = 'Succeeded'
    AND cached_from IS NULL AND reused_from IS NULL;
CREATE INDEX packages_by_group ON packages (group_name, created);
"""

_JOBS = """
CREATE TABLE jobs (
    type TEXT NOT NULL, name TEXT NOT NULL, arn TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL, started REAL, ended REAL, reason TEXT,
    owner TEXT NOT NULL, transitions TEXT NOT NULL, request TEXT NOT NULL, results TEXT NOT NULL,
    PRIMARY KEY (type, name));
CREATE INDEX open_jobs ON jobs (status) WHERE status IN ('InProgress', 'Stopping');
"""

_JOBS_OF_STEPS = """
INSERT OR IGNORE INTO jobs
SELECT 'JOB', json_extract(properties, '$.JOBJobName'), json_extract(properties, '$.JOBJobArn'),
    json_extract(properties, '$.JOBJobStatus'), json_extract(properties, '$.CreationTime'),
    json_extract(properties, '$.LastModifiedTime'), json_extract(properties, '$.JOBStartTime'),
    json_extract(properties, '$.JOBEndTime'), json_extract(properties, '$.FailureReason'), '',
    json_array(json_array(
        coalesce(
            json_extract(properties, '$.SecondaryStatus'),
            json_extract(properties, '$.JOBJobStatus')),
        json_extract(properties, '$.CreationTime'), json_extract(properties, '$.JOBEndTime'))),
    '{}', properties
FROM steps WHERE json_extract(properties, '$.JOBJobStatus') IN ('Completed', 'Failed', 'Stopped');
"""
"""Until version 3 a job was known by the step that ran it alone."""

_UPGRADES = {
    1: _ENDPOINTS,
    2: _MANY_EXECUTIONS,
    3: _JOBS + "".join(_JOBS_OF_STEPS.replace("JOB", job) for job in ("Training", "Processing")),
    4: change_tables(),
}
"""What each version lacks that the next one has."""


def upgrade_script(version: int | None) -> str | None:
    """Return the SQL that brings a state up to `VERSION`; None when there is no way to.

    Args:
        version: the version of the existing tables; None for a new file.
    """
    if version == VERSION:
        return ""
    if version is not None and version not in _UPGRADES:
        return None
    scripts = [_TABLES] if version is None else []
    scripts += [_UPGRADES[number] for number in range(version or 1, VERSION)]
    return f"BEGIN; {' '.join(scripts)} PRAGMA user_version = {VERSION}; COMMIT;"
