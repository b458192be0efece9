"""Names that a template would take, and that something else in the account has already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pipelines.account.account import Account
from pipelines.account.stacks.change_set import StackTemplate
from pipelines.account.stacks.deployed import Deployed
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import Json


@frozen
class Taken:
    """A name that is taken.

    Args:
        logical: the resource's id in the template.
        type: its type.
        name: the name.
        problem: who has it.
        is_importable: whether CloudFormation can take it into the stack.
    """

    logical: str
    type: str
    name: str
    problem: str
    is_importable: bool = False

    @property
    def remedy(self) -> str:
        """The way out."""
        return _REMEDIES.get(self.type, "delete it, or give the spec another `pipeline:`")


def taken_names(
    account: Account, template: StackTemplate, deployed: Deployed, given: Mapping[str, str]
) -> Iterator[Taken]:
    """Find the resources that CloudFormation could not make: their names are taken.

    Those that the stack has already are its own.

    Args:
        account: where.
        template: what the stack has to be.
        deployed: what it is.
        given: values of parameters, by name.
    """
    document = template.document
    values = {
        **{n: p["Default"] for n, p in document.get("Parameters", {}).items() if "Default" in p},
        **deployed.chosen(),
        **given,
    }
    for logical, resource in document.get("Resources", {}).items():
        probe = _PROBES.get(resource["Type"])
        condition = document.get("Conditions", {}).get(resource.get("Condition"))
        if probe is None or logical in deployed.resources or not _holds(condition, values):
            continue
        member, find = probe
        name = resource.get("Properties", {}).get(member)
        problem = find(account, name) if isinstance(name, str) else None
        if problem is not None:
            is_importable = problem == _OWN_BUCKET
            yield Taken(logical, resource["Type"], str(name), problem, is_importable)


def _holds(condition: Json, values: Mapping[str, str]) -> bool:
    """Evaluate a condition of the templates: a parameter is, or is not, some text."""
    match condition:
        case {"Fn::Equals": [{"Ref": name}, text]}:
            return bool(values.get(name) == text)
        case {"Fn::Not": [inner]}:
            return not _holds(inner, values)
        case _:
            return True


def _role(account: Account, name: str) -> str | None:
    return _described(account, "iam", "get_role", RoleName=name)


def _bucket(account: Account, name: str) -> str | None:
    """Look for a bucket; its name is taken once in all accounts of a partition."""
    try:
        account.call("s3", "head_bucket", Bucket=name, **account.owned())
    except CallRefusedError as error:
        if error.is_missing:
            return None
        if error.is_denied:
            return "belongs to another account, or you may not look at it"
        if error.code in {"301", "PermanentRedirect"}:
            return "exists in another region"
        raise
    return _OWN_BUCKET


def _group(account: Account, name: str) -> str | None:
    return _described(
        account, "sagemaker", "describe_model_package_group", ModelPackageGroupName=name
    )


def _rule(account: Account, name: str) -> str | None:
    return _described(account, "events", "describe_rule", Name=name)


def _connection(account: Account, name: str) -> str | None:
    found = account.pages("codeconnections", "list_connections", "Connections")
    return _EXISTS if any(one["ConnectionName"] == name for one in found) else None


def _log(account: Account, name: str) -> str | None:
    found = account.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    return _EXISTS if any(one["logGroupName"] == name for one in found) else None


def _project(account: Account, name: str) -> str | None:
    found = account.call("codebuild", "batch_get_projects", names=[name])
    return _EXISTS if found.get("projects") else None


def _pipeline(account: Account, name: str) -> str | None:
    return _described(account, "codepipeline", "get_pipeline", name=name)


def _described(account: Account, service: str, operation: str, **request: str) -> str | None:
    try:
        account.call(service, operation, **request)
    except CallRefusedError as error:
        if error.is_missing or error.code == "PipelineNotFoundException":
            return None
        raise
    return _EXISTS


_OWN_BUCKET: Final = "exists in this account and belongs to no stack of these templates"
_EXISTS: Final = "exists and belongs to no stack of these templates"
_Probe = Callable[[Account, str], str | None]
_PROBES: Final[dict[str, tuple[str, _Probe]]] = {
    "AWS::IAM::Role": ("RoleName", _role),
    "AWS::S3::Bucket": ("BucketName", _bucket),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName", _group),
    "AWS::Events::Rule": ("Name", _rule),
    "AWS::CodeConnections::Connection": ("ConnectionName", _connection),
    "AWS::Logs::LogGroup": ("LogGroupName", _log),
    "AWS::CodeBuild::Project": ("Name", _project),
    "AWS::CodePipeline::Pipeline": ("Name", _pipeline),
}
"""Type → the property that names it, and how to find one."""

_REMEDIES: Final = {
    "AWS::IAM::Role": (
        "delete the role (the stack makes it with the permissions that it needs), or name another "
        "one in `aws:`"
    ),
    "AWS::S3::Bucket": (
        "take your own bucket into the stack with --import-existing, or name another one in "
        "`aws.bucket`"
    ),
    "AWS::SageMaker::ModelPackageGroup": (
        "delete the group if it has no versions that you need, or name another `group:`"
    ),
    "AWS::CodeConnections::Connection": "use it: `ci init --connection` with its ARN",
}
