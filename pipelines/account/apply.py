"""A plan → the account: what the plan says, in an order that may end anywhere.

Objects come first, under keys made of their content; then what pipelines need; then the pipelines,
the one that is started by hand last. Killed at any call, the old definition still has all it
names, and the next plan finds what is left to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from uuid import uuid4

from pipelines.account.account import Account
from pipelines.account.objects import remove, upload
from pipelines.account.pipelines import as_tags
from pipelines.account.read import read_state
from pipelines.bundle.assets import digest_files
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError, split
from pipelines.json_types import JsonObject
from pipelines.plan.deployed import fingerprint
from pipelines.plan.model import Action, GroupPlan, PipelinePlan, Plan, TagChange, Upload

_LARGEST_INLINE = 100 * 1024
"""Bytes of a definition from which on it goes through S3 (CreatePipeline's own limit)."""


def apply(
    account: Account, plan: Plan, is_current: Callable[[], bool], done: Callable[[str], None]
) -> None:
    """Do what a plan says.

    Args:
        account: where.
        plan: what.
        is_current: reads again what the plan was made from, and says whether it is still so.
        done: called with the URI of each object that was uploaded.

    Raises:
        CallRefusedError: something was refused, or what is deployed has changed since it was read.
        UsageError: a file changed while it was uploaded.
    """
    if account.is_local:
        account.call("s3", "create_bucket", Bucket=split(plan.definitions)[0])
    upload(account, (item for asset in plan.uploads for item in asset.objects), done)
    for asset in plan.uploads:
        _require_unchanged(account, asset)
    groups = [group for group in plan.groups if group.action is not Action.UNCHANGED]
    pipelines = [one for one in plan.pipelines if one.action is not Action.UNCHANGED]
    if not groups and not pipelines:
        return
    if not is_current():
        raise CallRefusedError(
            "what is deployed has changed since this plan was made",
            "run the command again to see the current plan",
            code="Changed",
        )
    for group in groups:
        _apply_group(account, group)
    for pipeline in pipelines:
        _apply_pipeline(account, pipeline, plan.definitions)


def is_current(account: Account, plan: Plan) -> bool:
    """Read again what a plan was made from, and say whether it is still so."""
    names = tuple(pipeline.name for pipeline in plan.pipelines)
    state = read_state(account, names, tuple(group.name for group in plan.groups))
    return fingerprint(state) == plan.fingerprint


def _require_unchanged(account: Account, asset: Upload) -> None:
    """Make sure that what was uploaded is what its address says; else take it away again.

    Raises:
        UsageError: files were changed between the plan and their upload.
    """
    if asset.data is None or digest_files(asset.data.files) == asset.data.digest:
        return
    bucket, _ = split(asset.data.uri)
    remove(account, bucket, [split(uri)[1] for uri, _ in asset.objects])
    raise UsageError(
        f"the files of data {asset.name} were changed while they were uploaded",
        "run the command again to upload their current content",
    )


def _apply_group(account: Account, group: GroupPlan) -> None:
    if group.arn is None:
        account.call(
            "sagemaker",
            "create_model_package_group",
            ModelPackageGroupName=group.name,
            Tags=as_tags(group.tags.add),
        )
    else:
        _change_tags(account, group.arn, group.tags)


def _apply_pipeline(account: Account, pipeline: PipelinePlan, definitions: str) -> None:
    """Create or update a pipeline; the token makes a creation that is tried again one creation."""
    request: JsonObject = {"PipelineName": pipeline.name, **pipeline.settings}
    if pipeline.definition is not None:
        request.update(_definition(account, pipeline.definition, definitions))
    if pipeline.arn is None:
        request["Tags"] = as_tags(pipeline.tags.add)
        account.call("sagemaker", "create_pipeline", **request, ClientRequestToken=uuid4().hex)
        return
    if len(request) > 1:
        account.call("sagemaker", "update_pipeline", **request)
    _change_tags(account, pipeline.arn, pipeline.tags)


def _definition(account: Account, text: str, prefix: str) -> JsonObject:
    """Return the request's member for a definition; a large one is put into S3 for it."""
    content = text.encode()
    if len(content) < _LARGEST_INLINE:
        return {"PipelineDefinition": text}
    bucket, key = split(f"{prefix}/{hashlib.sha256(content).hexdigest()[:32]}.json")
    account.upload(bucket, key, content)
    return {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}


def _change_tags(account: Account, arn: str, tags: TagChange) -> None:
    """Take tags away, then set others: the tag that remembers which are ours is among these.

    Ended in between, the next plan finds what is left to do.
    """
    if tags.remove:
        account.call("sagemaker", "delete_tags", ResourceArn=arn, TagKeys=list(tags.remove))
    if tags.add:
        account.call("sagemaker", "add_tags", ResourceArn=arn, Tags=as_tags(tags.add))
