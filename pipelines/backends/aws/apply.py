"""A plan → the account: what the plan says, in an order that may end anywhere.

Objects come first, under keys made of their content; then what pipelines need; then the pipelines,
the one that is started by hand last. Killed at any call, the old definition still has all it
names, and the next plan finds what is left to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from uuid import uuid4

from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.gateway import Gateway
from pipelines.backends.aws.objects import remove, split, upload
from pipelines.backends.aws.pipelines import as_tags
from pipelines.backends.aws.read import read_state
from pipelines.bundle.assets import digest_files
from pipelines.errors import UsageError
from pipelines.json_types import JsonObject
from pipelines.plan.deployed import fingerprint
from pipelines.plan.model import Action, GroupPlan, PipelinePlan, Plan, TagChange, Upload

_LARGEST_INLINE = 100 * 1024
"""Bytes of a definition from which on it goes through S3 (CreatePipeline's own limit)."""


def apply(
    gateway: Gateway, plan: Plan, is_current: Callable[[], bool], done: Callable[[str], None]
) -> None:
    """Do what a plan says.

    Args:
        gateway: where.
        plan: what.
        is_current: reads again what the plan was made from, and says whether it is still so.
        done: called with the URI of each object that was uploaded.

    Raises:
        AwsError: something was refused, or what is deployed has changed since it was read.
        UsageError: a file changed while it was uploaded.
    """
    if gateway.is_local:
        gateway.call("s3", "create_bucket", Bucket=split(plan.definitions)[0])
    upload(gateway, (item for asset in plan.uploads for item in asset.objects), done)
    for asset in plan.uploads:
        _require_unchanged(gateway, asset)
    groups = [group for group in plan.groups if group.action is not Action.UNCHANGED]
    pipelines = [one for one in plan.pipelines if one.action is not Action.UNCHANGED]
    if not groups and not pipelines:
        return
    if not is_current():
        raise AwsError(
            "what is deployed has changed since this plan was made: somebody else was faster",
            "run the command again: it shows what there is to do now",
            code="Changed",
        )
    for group in groups:
        _apply_group(gateway, group)
    for pipeline in pipelines:
        _apply_pipeline(gateway, pipeline, plan.definitions)


def is_current(gateway: Gateway, plan: Plan) -> bool:
    """Read again what a plan was made from, and say whether it is still so."""
    names = tuple(pipeline.name for pipeline in plan.pipelines)
    state = read_state(gateway, names, tuple(group.name for group in plan.groups))
    return fingerprint(state) == plan.fingerprint


def _require_unchanged(gateway: Gateway, asset: Upload) -> None:
    """Make sure that what was uploaded is what its address says; else take it away again.

    Raises:
        UsageError: files were changed between the plan and their upload.
    """
    if asset.data is None or digest_files(asset.data.files) == asset.data.digest:
        return
    bucket, _ = split(asset.data.uri)
    remove(gateway, bucket, [split(uri)[1] for uri, _ in asset.objects])
    raise UsageError(
        f"the files of data {asset.name} were changed while they were uploaded",
        "run the command again: it uploads them as they are then",
    )


def _apply_group(gateway: Gateway, group: GroupPlan) -> None:
    if group.arn is None:
        gateway.call(
            "sagemaker",
            "create_model_package_group",
            ModelPackageGroupName=group.name,
            Tags=as_tags(group.tags.add),
        )
    else:
        _change_tags(gateway, group.arn, group.tags)


def _apply_pipeline(gateway: Gateway, pipeline: PipelinePlan, definitions: str) -> None:
    """Create or update a pipeline; the token makes a creation that is tried again one creation."""
    request: JsonObject = {"PipelineName": pipeline.name, **pipeline.settings}
    if pipeline.definition is not None:
        request.update(_definition(gateway, pipeline.definition, definitions))
    if pipeline.arn is None:
        request["Tags"] = as_tags(pipeline.tags.add)
        gateway.call("sagemaker", "create_pipeline", **request, ClientRequestToken=uuid4().hex)
        return
    if len(request) > 1:
        gateway.call("sagemaker", "update_pipeline", **request)
    _change_tags(gateway, pipeline.arn, pipeline.tags)


def _definition(gateway: Gateway, text: str, prefix: str) -> JsonObject:
    """Return the request's member for a definition; a large one is put into S3 for it."""
    content = text.encode()
    if len(content) < _LARGEST_INLINE:
        return {"PipelineDefinition": text}
    bucket, key = split(f"{prefix}/{hashlib.sha256(content).hexdigest()[:32]}.json")
    gateway.upload(bucket, key, content)
    return {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}


def _change_tags(gateway: Gateway, arn: str, tags: TagChange) -> None:
    """Take tags away, then set others: the tag that remembers which are ours is among these.

    Ended in between, the next plan finds what is left to do.
    """
    if tags.remove:
        gateway.call("sagemaker", "delete_tags", ResourceArn=arn, TagKeys=list(tags.remove))
    if tags.add:
        gateway.call("sagemaker", "add_tags", ResourceArn=arn, Tags=as_tags(tags.add))
