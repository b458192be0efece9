"""What lies in the bucket and nothing refers to any more, and its removal.

An execution uses what the version of its pipeline names, and versions are never deleted: what no
version and no model package names, no execution can need. Young objects are left alone: another
upsert may have uploaded them and not yet made its version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.gateway import Gateway
from pipelines.backends.aws.parallel import each
from pipelines.backends.aws.pipelines import describe_group
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_FOLDERS = ("code", "data", "definitions")
"""What upsert writes below a pipeline's prefix, addressed by content."""

_BATCH = 1000
_URI = re.compile(r"s3://[^\s\"'\\]+")


@frozen
class Premises:
    """What is looked through.

    Args:
        bucket: where the objects lie.
        pipeline: the pipeline that they belong to.
        definitions: the names of all its pipelines, the deploy pipeline's too.
        groups: model package groups that it registers in.
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


def unused(gateway: Gateway, premises: Premises, before: datetime) -> list[Unused]:
    """Find what nothing refers to.

    Args:
        gateway: where.
        premises: what is looked through.
        before: younger objects are left alone; with a time zone.

    Raises:
        AwsError: something could not be read: then nothing may be called unused.
    """
    in_use = tuple(_in_use(gateway, premises))
    return [
        Unused(entry["Key"], int(entry["Size"]))
        for folder in _FOLDERS
        for entry in _listed(gateway, premises, folder)
        if entry["LastModified"] < before
        and not _is_used(f"s3://{premises.bucket}/{entry['Key']}", in_use)
    ]


def groups_of(definition: str) -> Iterator[str]:
    """Yield the model package groups that a definition registers in."""
    for step in _objects(json.loads(definition)):
        name = step.get("ModelPackageGroupName")
        if isinstance(name, str):
            yield name


def _objects(value: Json) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _objects(part)


def remove(gateway: Gateway, bucket: str, objects: Iterable[Unused]) -> None:
    """Delete objects.

    Raises:
        AwsError: one was refused.
    """
    keys = [{"Key": found.key} for found in objects]
    for start in range(0, len(keys), _BATCH):
        batch = {"Objects": keys[start : start + _BATCH], "Quiet": True}
        answer = gateway.call(
            "s3", "delete_objects", Bucket=bucket, Delete=batch, **gateway.owned()
        )
        for error in answer.get("Errors", ()):
            raise AwsError(
                f"AWS refused to delete s3://{bucket}/{error.get('Key')}: {error.get('Message')}",
                "allow s3:DeleteObject on it, and run the command again",
                code=str(error.get("Code", "")),
                operation="delete_objects",
            )


def _in_use(gateway: Gateway, premises: Premises) -> Iterator[str]:
    """Yield the URIs that versions and packages name; a folder's URI stands for what is in it."""
    for name in premises.definitions:
        for definition in each(
            lambda request: _definition(gateway, request), _versions(gateway, name)
        ):
            yield from _URI.findall(definition)
    for group in premises.groups:
        arns = _packages(gateway, group)
        for package in each(lambda arn: _package(gateway, arn), arns):
            yield from _texts(package)


def _versions(gateway: Gateway, name: str) -> list[JsonObject]:
    pages = gateway.pages(
        "sagemaker", "list_pipeline_versions", "PipelineVersionSummaries", PipelineName=name
    )
    try:
        numbers = [version["PipelineVersionId"] for version in pages]
    except AwsError as error:
        if error.is_missing:
            return []
        raise
    name_only = {"PipelineName": name}
    return [name_only, *({**name_only, "PipelineVersionId": number} for number in numbers)]


def _definition(gateway: Gateway, request: JsonObject) -> str:
    described = gateway.call("sagemaker", "describe_pipeline", **request)
    return str(described.get("PipelineDefinition", ""))


def _packages(gateway: Gateway, group: str) -> list[str]:
    if describe_group(gateway, group) is None:
        return []
    pages = gateway.pages(
        "sagemaker", "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group
    )
    return [package["ModelPackageArn"] for package in pages]


def _package(gateway: Gateway, arn: str) -> JsonObject:
    return gateway.call("sagemaker", "describe_model_package", ModelPackageName=arn)


def _listed(gateway: Gateway, premises: Premises, folder: str) -> Iterator[JsonObject]:
    prefix = f"{premises.pipeline}/{folder}/"
    request = {"Bucket": premises.bucket, "Prefix": prefix, **gateway.owned()}
    return gateway.pages("s3", "list_objects_v2", "Contents", **request)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield from _URI.findall(value)
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _is_used(uri: str, in_use: tuple[str, ...]) -> bool:
    return uri.startswith(in_use)
