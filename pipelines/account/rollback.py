"""An earlier version of a pipeline → the plan that makes it the latest one again.

A rollback is an update like any other: the old definition becomes a new version, so that it can
be rolled back itself, and nothing that runs is touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from pipelines.account.account import Account
from pipelines.account.contents import changed_between
from pipelines.account.objects import is_there
from pipelines.account.parallel import for_each
from pipelines.account.read import read_state
from pipelines.account.versions import definition_of, no_pipeline
from pipelines.definition.named import read
from pipelines.definition.needs import assets_in
from pipelines.errors import UsageError
from pipelines.json_types import JsonObject
from pipelines.plan.caching import misses
from pipelines.plan.deployed import LivePipeline
from pipelines.plan.diff import diff
from pipelines.plan.model import PipelinePlan, Plan
from pipelines.plan.tags import is_ours


def plan_rollback(
    account: Account, pipeline: str, number: int, definitions: str, copy_of: str | None = None
) -> Plan:
    """Plan to put the definition of a version back; role, tags and parallelism stay.

    Args:
        account: where.
        pipeline: the pipeline's name.
        number: the version.
        definitions: `s3://bucket/prefix` that large definitions are put under.
        copy_of: the original, where the pipeline is a copy.

    Raises:
        UsageError: there is no such pipeline or version, it is somebody else's, or code or
            data that it names is gone.
    """
    state = read_state(account, (pipeline,), ())
    live = state.pipelines[pipeline]
    if live is None:
        raise no_pipeline(account, pipeline)
    if not account.is_local and not is_ours(live.tags, pipeline, copy_of):
        raise UsageError(
            f"the pipeline {pipeline} was not created from this spec",
            "`pipelines upsert --take-over` replaces it",
        )
    definition = _whole_version(account, pipeline, number)
    before, after = live.document, json.loads(definition)
    changes = diff(before, after)
    planned = PipelinePlan(
        pipeline,
        live.arn,
        definition if changes else None,
        _settings(live) if changes else {},
        changes=changes,
    )
    return Plan(
        pipeline=pipeline,
        uploads=(),
        groups=(),
        pipelines=(planned,),
        definitions=definitions,
        misses=misses(before, after),
        files=changed_between(account, live.definition, definition),
        state=state,
    )


def _whole_version(account: Account, pipeline: str, number: int) -> str:
    """Return the definition of a version all of whose code and data are still there."""
    definition = definition_of(account, pipeline, number)
    gone = next(_gone(account, definition), None)
    if gone is not None:
        raise UsageError(
            f"version {number} needs {gone}, which no longer exists",
            "check out its commit and run `pipelines upsert`",
        )
    return definition


def _settings(live: LivePipeline) -> JsonObject:
    """Return what goes along with an update: what is left out of one may be lost."""
    settings: JsonObject = {"RoleArn": live.role}
    if live.description:
        settings["PipelineDescription"] = live.description
    if live.parallelism is not None:
        settings["ParallelismConfiguration"] = live.parallelism
    return settings


def _gone(account: Account, definition: str) -> Iterator[str]:
    uris = [asset.uri for asset in assets_in(read(definition))]
    found = for_each(lambda uri: is_there(account, uri), uris)
    return (uri for uri, there in zip(uris, found, strict=True) if not there)
