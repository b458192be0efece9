"""What lies in the bucket and nothing refers to any more.

An execution uses what the version of its pipeline names, and versions are never deleted: what no
version and no model package names, no execution can need. Young objects are left alone: another
upsert may have uploaded them and not yet made its version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from pipelines.account.account import Account
from pipelines.account.parallel import for_each
from pipelines.definition.named import groups_of
from pipelines.definition.needs import uris_in
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.plan.deployments import batches_of
from pipelines.registry.packages import describe_group
from pipelines.spec.names import standing_alone

_OURS = re.compile(r"(code|data)/[^/]+/[0-9a-f]{32}/.+|definitions/[0-9a-f]{32}\.json")
"""What upsert writes below a pipeline's prefix, addressed by content."""


@frozen
class PruneScope:
    """What is looked through.

    Args:
        bucket: where the objects lie.
        pipeline: the pipeline that they belong to.
        definitions: the names of all its pipelines, the deploy pipeline's too.
        groups: model package groups that it registers in, besides those that versions name.
    """

    bucket: str
    pipeline: str
    definitions: tuple[str, ...]
    groups: tuple[str, ...]


@frozen
class Unused:
    """An object that nothing refers to: its key, its size in bytes."""

    key: str
    size: int


def unused(account: Account, scope: PruneScope, before: datetime) -> list[Unused]:
    """Find what nothing refers to.

    Args:
        account: where.
        scope: what is looked through.
        before: younger objects are left alone; with a time zone.

    Raises:
        CallRefusedError: something could not be read: then nothing may be called unused.
    """
    in_use = tuple(_in_use(account, scope))
    return [
        Unused(entry["Key"], int(entry["Size"]))
        for entry in _listed(account, scope)
        if entry["LastModified"] < before
        and not f"s3://{scope.bucket}/{entry['Key']}".startswith(in_use)
    ]


def _in_use(account: Account, scope: PruneScope) -> Iterator[str]:
    """Yield the URIs that versions and packages name; a folder's URI stands for what is in it."""
    groups = dict.fromkeys(scope.groups)
    found = _definitions(account, scope.definitions)
    steps = dict.fromkeys(step for definition in found for step in batches_of(definition))
    once = (standing_alone(scope.pipeline, step) for step in steps)  # a schedule may start it still
    more = [name for name in once if name not in scope.definitions]
    for definition in (*found, *_definitions(account, more)):
        groups.update(dict.fromkeys(groups_of(definition)))
        yield from uris_in(definition)
    for group in groups:
        for package in for_each(lambda arn: _package(account, arn), _packages(account, group)):
            yield from uris_in(package)


def _definitions(account: Account, names: Iterable[str]) -> list[str]:
    requests = [request for name in names for request in _versions(account, name)]
    return for_each(lambda request: _definition(account, request), requests)


def _versions(account: Account, name: str) -> list[JsonObject]:
    pages = account.pages(
        "sagemaker", "list_pipeline_versions", "PipelineVersionSummaries", PipelineName=name
    )
    try:
        numbers = [version["PipelineVersionId"] for version in pages]
    except CallRefusedError as error:
        if error.is_missing:
            return []
        raise
    name_only = {"PipelineName": name}
    return [name_only, *({**name_only, "PipelineVersionId": number} for number in numbers)]


def _definition(account: Account, request: JsonObject) -> str:
    return str(account.call("sagemaker", "describe_pipeline", **request)["PipelineDefinition"])


def _packages(account: Account, group: str) -> list[str]:
    if describe_group(account, group) is None:
        return []
    pages = account.pages(
        "sagemaker", "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group
    )
    return [package["ModelPackageArn"] for package in pages]


def _package(account: Account, arn: str) -> JsonObject:
    return account.call("sagemaker", "describe_model_package", ModelPackageName=arn)


def _listed(account: Account, scope: PruneScope) -> Iterator[JsonObject]:
    """Yield what upsert has written; what others put beside it is none of ours."""
    prefix = f"{scope.pipeline}/"
    for folder in ("code", "data", "definitions"):
        request = {
            "Bucket": scope.bucket,
            "Prefix": f"{prefix}{folder}/",
            **account.owned(),
        }
        for entry in account.pages("s3", "list_objects_v2", "Contents", **request):
            if _OURS.fullmatch(str(entry["Key"]).removeprefix(prefix)):
                yield entry
