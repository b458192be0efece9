"""A plan → the account: what the plan says, in an order that may end anywhere.

Objects come first, under keys made of their content; then what pipelines need; then the pipelines,
the one that is started by hand last. Killed at any call, the old definition still has all it
names, and the next plan finds what is left to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path

from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.gateway import Gateway
from pipelines.backends.aws.objects import split, upload
from pipelines.backends.aws.pipelines import as_tags
from pipelines.compile.assets import CodeAsset
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_LARGEST_INLINE = 100 * 1024
"""Bytes of a definition from which on it goes through S3 (CreatePipeline's own limit)."""


@frozen
class PipelineWork:
    """What is to be done with one pipeline.

    Args:
        name: its name.
        arn: its ARN; None where it is to be created.
        definition: its new definition JSON; None where it stays.
        settings: members of CreatePipeline or UpdatePipeline that change: role, description.
        add_tags: tags to be set.
        remove_tags: tags to be taken away.
    """

    name: str
    arn: str | None
    definition: str | None = None
    settings: JsonObject = field(default_factory=dict)
    add_tags: Mapping[str, str] = field(default_factory=dict)
    remove_tags: tuple[str, ...] = ()


@frozen
class GroupWork:
    """A model package group that is to be created, or whose tags change; as in `PipelineWork`."""

    name: str
    arn: str | None
    add_tags: Mapping[str, str] = field(default_factory=dict)
    remove_tags: tuple[str, ...] = ()


@frozen
class Work:
    """Everything that is to be done, and nothing else is.

    Args:
        uploads: the objects that are missing: URI and content.
        groups: model package groups.
        pipelines: the pipelines, in the order in which they are to change.
        definitions: `s3://bucket/prefix` that large definitions are put under.
    """

    uploads: tuple[tuple[str, CodeAsset | Path], ...]
    groups: tuple[GroupWork, ...]
    pipelines: tuple[PipelineWork, ...]
    definitions: str


def apply(
    gateway: Gateway, work: Work, is_current: Callable[[], bool], done: Callable[[str], None]
) -> None:
    """Do the work.

    Args:
        gateway: where.
        work: what.
        is_current: reads again what the plan was made from, and says whether it is still so.
        done: called with the URI of each object that was uploaded.

    Raises:
        AwsError: something was refused, or what is deployed has changed since it was read.
    """
    upload(gateway, work.uploads, done)
    if not work.groups and not work.pipelines:
        return
    if not is_current():
        raise AwsError(
            "what is deployed has changed since this plan was made: somebody else was faster",
            "run the command again: it shows what there is to do now",
            code="Changed",
        )
    for group in work.groups:
        _apply_group(gateway, group)
    for pipeline in work.pipelines:
        _apply_pipeline(gateway, pipeline, work.definitions)


def _apply_group(gateway: Gateway, group: GroupWork) -> None:
    if group.arn is None:
        tags = {"Tags": as_tags(group.add_tags)} if group.add_tags else {}
        gateway.call(
            "sagemaker", "create_model_package_group", ModelPackageGroupName=group.name, **tags
        )
    else:
        _change_tags(gateway, group.arn, group.add_tags, group.remove_tags)


def _apply_pipeline(gateway: Gateway, pipeline: PipelineWork, definitions: str) -> None:
    request: JsonObject = {"PipelineName": pipeline.name, **pipeline.settings}
    if pipeline.definition is not None:
        request.update(_definition(gateway, pipeline.definition, definitions))
    if pipeline.arn is None:
        if pipeline.add_tags:
            request["Tags"] = as_tags(pipeline.add_tags)
        gateway.call("sagemaker", "create_pipeline", **request, ClientRequestToken=_token(request))
        return
    if len(request) > 1:
        gateway.call("sagemaker", "update_pipeline", **request)
    _change_tags(gateway, pipeline.arn, pipeline.add_tags, pipeline.remove_tags)


def _definition(gateway: Gateway, text: str, prefix: str) -> JsonObject:
    """Return the request's member for a definition; a large one is put into S3 for it."""
    content = text.encode()
    if len(content) < _LARGEST_INLINE:
        return {"PipelineDefinition": text}
    bucket, key = split(f"{prefix}/{hashlib.sha256(content).hexdigest()[:32]}.json")
    gateway.upload(bucket, key, content)
    return {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}


def _change_tags(
    gateway: Gateway, arn: str, add: Mapping[str, str], remove: tuple[str, ...]
) -> None:
    if add:
        gateway.call("sagemaker", "add_tags", ResourceArn=arn, Tags=as_tags(add))
    if remove:
        gateway.call("sagemaker", "delete_tags", ResourceArn=arn, TagKeys=list(remove))


def _token(request: JsonObject) -> str:
    """Make a token of what is asked for: the same request again is the same creation (1.11)."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
