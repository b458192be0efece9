"""Names that a template would take, and that something else in the account has already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pipelines.account.account import Account
from pipelines.account.stacks.deployed import Deployed
from pipelines.account.stacks.stack_template import StackTemplate
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject


@frozen
class Taken:
    """A name that is taken.

    Args:
        logical: the resource's id in the template.
        type: its type.
        name: the name.
        problem: who has it.
        identifier: the property and value by which CloudFormation imports it; None where it cannot.
    """

    logical: str
    type: str
    name: str
    problem: str
    identifier: tuple[str, str] | None = None

    @property
    def remedy(self) -> str:
        """The way out."""
        other = _REMEDIES.get(self.type, "delete it, or give the spec another `pipeline:`")
        return f"{other}, or {_IMPORTED}" if self.identifier else other


@frozen
class Found:
    """Something that is there.

    Args:
        problem: who has it.
        identifier: as in `Taken`.
    """

    problem: str
    identifier: tuple[str, str] | None = None


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
        kind = resource["Type"]
        condition = document.get("Conditions", {}).get(resource.get("Condition"))
        if kind not in _PROBES or not _holds(condition, values):
            continue
        member, find = _PROBES[kind]
        name = resource.get("Properties", {}).get(member)
        if not isinstance(name, str) or _is_own(deployed.resources.get(logical), kind, name):
            continue
        found = find(account, name)
        if found is not None:
            yield Taken(logical, kind, name, found.problem, found.identifier)


def _is_own(physical: str | None, kind: str, name: str) -> bool:
    """Return whether the stack has a resource under this name, and not under an earlier one."""
    if physical is None:
        return False
    known, wanted = physical.lower(), name.lower()
    return kind == _CONNECTION or known == wanted or known.endswith((f"/{wanted}", f":{wanted}"))


def _holds(condition: Json, values: Mapping[str, str]) -> bool:
    """Evaluate a condition of the templates: a parameter is, or is not, some text."""
    match condition:
        case {"Fn::Equals": [{"Ref": name}, text]}:
            return bool(values.get(name) == text)
        case {"Fn::Not": [inner]}:
            return not _holds(inner, values)
        case _:
            return True


def _role(account: Account, name: str) -> Found | None:
    found = _described(account, "iam", "get_role", RoleName=name)
    return None if found is None else Found(_EXISTS, ("RoleName", name))


def _policy(account: Account, name: str) -> Found | None:
    arn = f"arn:{account.partition}:iam::{account.account_id()}:policy/{name}"
    return _found(_described(account, "iam", "get_policy", PolicyArn=arn))


def _bucket(account: Account, name: str) -> Found | None:
    """Look for a bucket; its name is taken once in all accounts of a partition."""
    try:
        account.call("s3", "head_bucket", Bucket=name, **account.owned())
    except CallRefusedError as error:
        if error.is_missing:
            return None
        if error.is_denied:
            return Found("belongs to another account, or you may not look at it")
        if error.code in {"301", "PermanentRedirect"}:
            return Found("exists in another region")
        raise
    return Found(_OWN_BUCKET, ("BucketName", name))


def _group(account: Account, name: str) -> Found | None:
    found = _described(
        account, "sagemaker", "describe_model_package_group", ModelPackageGroupName=name
    )
    if found is None:
        return None
    return Found(_EXISTS, ("ModelPackageGroupArn", str(found["ModelPackageGroupArn"])))


def _rule(account: Account, name: str) -> Found | None:
    return _found(_described(account, "events", "describe_rule", Name=name))


def _schedule(account: Account, name: str) -> Found | None:
    return _found(_described(account, "scheduler", "get_schedule", Name=name))


def _queue(account: Account, name: str) -> Found | None:
    return _found(_described(account, "sqs", "get_queue_url", QueueName=name))


def _topic(account: Account, name: str) -> Found | None:
    arn = f"arn:{account.partition}:sns:{account.region}:{account.account_id()}:{name}"
    return _found(_described(account, "sns", "get_topic_attributes", TopicArn=arn))


def _connection(account: Account, name: str) -> Found | None:
    found = account.pages("codeconnections", "list_connections", "Connections")
    return Found(_EXISTS) if any(one["ConnectionName"] == name for one in found) else None


def _log(account: Account, name: str) -> Found | None:
    found = account.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    is_there = any(one["logGroupName"] == name for one in found)
    return Found(_EXISTS, ("LogGroupName", name)) if is_there else None


def _project(account: Account, name: str) -> Found | None:
    found = account.call("codebuild", "batch_get_projects", names=[name])
    return Found(_EXISTS) if found.get("projects") else None


def _pipeline(account: Account, name: str) -> Found | None:
    return _found(_described(account, "codepipeline", "get_pipeline", name=name))


def _found(described: JsonObject | None) -> Found | None:
    return None if described is None else Found(_EXISTS)


def _described(account: Account, service: str, operation: str, **request: str) -> JsonObject | None:
    """Return what describes something; None where it does not exist."""
    try:
        return account.call(service, operation, **request)
    except CallRefusedError as error:
        if error.is_missing or error.code in _GONE:
            return None
        raise


_GONE: Final = frozenset(
    {"PipelineNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
    | {"NotFound", "NotFoundException"}
)
_OWN_BUCKET: Final = "exists in this account and belongs to no stack of these templates"
_EXISTS: Final = "exists and belongs to no stack of these templates"
_IMPORTED: Final = "take it into the stack with --import-existing"
_CONNECTION: Final = "AWS::CodeConnections::Connection"
_Probe = Callable[[Account, str], Found | None]
_PROBES: Final[dict[str, tuple[str, _Probe]]] = {
    "AWS::IAM::Role": ("RoleName", _role),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", _policy),
    "AWS::S3::Bucket": ("BucketName", _bucket),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName", _group),
    "AWS::Events::Rule": ("Name", _rule),
    "AWS::Scheduler::Schedule": ("Name", _schedule),
    "AWS::SQS::Queue": ("QueueName", _queue),
    "AWS::SNS::Topic": ("TopicName", _topic),
    _CONNECTION: ("ConnectionName", _connection),
    "AWS::Logs::LogGroup": ("LogGroupName", _log),
    "AWS::CodeBuild::Project": ("Name", _project),
    "AWS::CodePipeline::Pipeline": ("Name", _pipeline),
}
"""Type → the property that names it, and how to find one."""

_REMEDIES: Final = {
    "AWS::IAM::Role": (
        "delete the role (the stack makes it with the permissions that it needs), name another "
        "one in `aws:`"
    ),
    "AWS::S3::Bucket": "name another bucket in `aws.bucket`",
    "AWS::SageMaker::ModelPackageGroup": "name another `group:`",
    _CONNECTION: "use it: `ci init --connection` with its ARN",
}
