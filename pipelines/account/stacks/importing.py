"""Resources that exist → the change set by which CloudFormation takes them into a stack.

CloudFormation takes the template's word for what an imported resource is like, and changes nothing
of it (CloudFormation User Guide, "Import AWS resources into a CloudFormation stack manually"). So a
resource is imported with its name alone; the update that follows then sees every other property as
a change, and makes it so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from pipelines.account.account import Account
from pipelines.account.stacks.change_set import ChangeSet, create_change_set
from pipelines.account.stacks.deployed import Deployed
from pipelines.account.stacks.existing import Taken
from pipelines.account.stacks.stack_template import StackTemplate
from pipelines.document.plain import read_plain
from pipelines.json_types import JsonObject

_KEPT: Final = ("RoleName", "Path", "BucketName", "ModelPackageGroupName", "LogGroupName")
"""What cannot be changed later: it has to be as it is from the beginning."""

_ROLE: Final = "AWS::IAM::Role"
_NOBODY: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}],
}
"""A trust policy, since CloudFormation wants one; other than the template's, so that it changes."""


def import_change_set(
    account: Account, template: StackTemplate, deployed: Deployed, taken: Iterable[Taken]
) -> ChangeSet | None:
    """Create the change set that takes resources into a stack as they are.

    Args:
        account: where.
        template: what the stack has to be after the update that follows.
        deployed: what it is.
        taken: what is imported.
    """
    imported = tuple(taken)
    before = _deployed_template(account, deployed)
    resources = template.document["Resources"]
    added = {one.logical: _bare(resources[one.logical]) for one in imported}
    document = {**before, "Resources": {**before.get("Resources", {}), **added}}
    whole = replace(template, text=json.dumps(document, indent=1), document=document)
    return create_change_set(account, whole, deployed, {}, imports=tuple(map(_wanted, imported)))


def _deployed_template(account: Account, deployed: Deployed) -> JsonObject:
    if not deployed.is_there:
        return {"AWSTemplateFormatVersion": "2010-09-09"}
    found = account.call("cloudformation", "get_template", StackName=deployed.name)["TemplateBody"]
    document: JsonObject = found if isinstance(found, dict) else read_plain(found)
    return document


def _bare(resource: JsonObject) -> JsonObject:
    given = resource["Properties"]
    properties = {name: given[name] for name in _KEPT if name in given}
    if resource["Type"] == _ROLE:
        properties["AssumeRolePolicyDocument"] = _NOBODY
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {"Type": resource["Type"], **kept, "Properties": properties}


def _wanted(one: Taken) -> JsonObject:
    identifier = dict([one.identifier]) if one.identifier else {}
    return {
        "ResourceType": one.type,
        "LogicalResourceId": one.logical,
        "ResourceIdentifier": identifier,
    }
