"""A template → a change set: what CloudFormation would change, and nothing changed yet.

The change set that was shown is the one that is executed: it is named by its ARN, and
CloudFormation refuses it where the stack has changed since.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Final

from pipelines.account.account import Account
from pipelines.account.stacks.deployed import Deployed
from pipelines.account.stacks.stack_template import StackTemplate, lent_to_cloudformation
from pipelines.errors import RefusedError, UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

CAPABILITY: Final = "CAPABILITY_NAMED_IAM"
_PAUSE: Final = 2.0
_LONGEST: Final = 600.0
_NO_CHANGES: Final = ("didn't contain changes", "No updates are to be performed")
_NO_EXPORT: Final = "No export named"


@frozen
class Change:
    """One resource that changes.

    Args:
        action: `add`, `modify`, `remove`, `import` or `dynamic`, as CloudFormation has it.
        logical: its id in the template.
        type: such as `AWS::S3::Bucket`.
        physical: its name or ARN; empty for one that is to be made.
        replacement: `true`, `false`, `conditional`, or empty.
        details: the properties that change.
        kept: whether the resource outlives being removed from the stack.
    """

    action: str
    logical: str
    type: str
    physical: str = ""
    replacement: str = ""
    details: tuple[str, ...] = ()
    kept: bool = False

    @property
    def is_import(self) -> bool:
        """Whether it takes what exists into the stack."""
        return self.action == "import"

    @property
    def is_iam(self) -> bool:
        """Whether it changes what somebody may do."""
        is_policy = self.type.startswith("AWS::IAM::") or self.type.endswith("Policy")
        return is_policy or any("Policy" in detail for detail in self.details)


@frozen
class ChangeSet:
    """A change set that can be executed.

    Args:
        arn: its ARN.
        stack: the ARN of its stack.
        changes: what it changes.
        first: whether the stack is only made by it.
    """

    arn: str
    stack: str
    changes: tuple[Change, ...]
    first: bool


class MissingExportError(RefusedError):
    """A stack takes what another one does not export yet."""


def create_change_set(
    account: Account,
    template: StackTemplate,
    deployed: Deployed,
    given: Mapping[str, str],
    *,
    imports: tuple[JsonObject, ...] = (),
) -> ChangeSet | None:
    """Create a change set and wait until CloudFormation has computed it.

    Args:
        account: where.
        template: what the stack has to be.
        deployed: what it is.
        given: values of parameters, by name.
        imports: the resources that are taken into the stack; it then changes nothing else.

    Returns:
        the change set; None where there is nothing to change, with nothing left behind.

    Raises:
        UsageError: a parameter has no value.
        MissingExportError: another stack has to be applied first.
        RefusedError: CloudFormation does not accept the template.
    """
    request: JsonObject = {
        "StackName": template.name,
        "ChangeSetName": f"pipelines-{uuid.uuid4().hex[:16]}",
        "ChangeSetType": _type(deployed, imports),
        "ClientToken": uuid.uuid4().hex,
        "Description": f"python -m pipelines: {template.file}"[:1024],
        "Capabilities": [CAPABILITY],
        "Parameters": _parameters(template, deployed, given),
        **({"ResourcesToImport": list(imports)} if imports else {}),
    }
    with lent_to_cloudformation(account, template) as body:
        created = account.call("cloudformation", "create_change_set", **request, **body)
    return _computed(account, template, created, is_first=not deployed.is_there)


def _type(deployed: Deployed, imports: tuple[JsonObject, ...]) -> str:
    if imports:
        return "IMPORT"
    return "UPDATE" if deployed.is_there else "CREATE"


def _computed(
    account: Account, template: StackTemplate, created: JsonObject, *, is_first: bool
) -> ChangeSet | None:
    change_set = ChangeSet(created["Id"], created["StackId"], (), is_first)
    try:
        described = _wait(account, change_set)
    except BaseException:
        discard(account, change_set)
        raise
    if described["Status"] != "FAILED":
        changes = tuple(_changes(account, change_set))
        return ChangeSet(change_set.arn, change_set.stack, changes, change_set.first)
    discard(account, change_set)
    reason = str(described.get("StatusReason", "no reason given"))
    if any(words in reason for words in _NO_CHANGES):
        return None
    if _NO_EXPORT in reason:
        raise MissingExportError(f"the stack {template.name} needs another one first: {reason}")
    raise RefusedError(
        f"CloudFormation cannot change {template.name} as {template.file} says: {reason}"
    )


def discard(account: Account, change_set: ChangeSet) -> None:
    """Delete a change set, and the stack that only it has made."""
    account.call("cloudformation", "delete_change_set", ChangeSetName=change_set.arn)
    if not change_set.first:
        return
    others = account.pages(
        "cloudformation", "list_change_sets", "Summaries", StackName=change_set.stack
    )
    if not any(one["ChangeSetId"] != change_set.arn for one in others):
        account.call("cloudformation", "delete_stack", StackName=change_set.stack)


def execute(account: Account, change_set: ChangeSet) -> None:
    """Begin to carry out a change set.

    What a first try has made is rolled back with it, buckets too: they would be in the way of the
    second. What is imported was there before, and stays.

    Raises:
        RefusedError: the stack has changed since it was shown, or somebody has deleted it.
    """
    is_import = any(change.is_import for change in change_set.changes)
    try:
        account.call(
            "cloudformation",
            "execute_change_set",
            ChangeSetName=change_set.arn,
            ClientRequestToken=uuid.uuid4().hex,
            **({} if is_import else {"RetainExceptOnCreate": True}),
        )
    except CallRefusedError as error:
        if error.code not in {"ChangeSetNotFound", "InvalidChangeSetStatus"}:
            raise
        raise RefusedError(
            "the change set that was shown is no longer valid: the stack has changed since",
            "run the command again: it shows what there is to do now",
        ) from error


def _parameters(
    template: StackTemplate, deployed: Deployed, given: Mapping[str, str]
) -> list[JsonObject]:
    """Return values: as given, else as somebody chose before, else the template's default."""
    chosen, found = deployed.chosen(), []
    for name, declared in template.document.get("Parameters", {}).items():
        if name in given:
            found.append({"ParameterKey": name, "ParameterValue": given[name]})
        elif name in chosen:
            found.append({"ParameterKey": name, "UsePreviousValue": True})
        elif "Default" not in declared:
            raise UsageError(
                f"{template.file} has a parameter without a value: {name}",
                f"add --parameter {name}=…: {declared.get('Description', '')}".rstrip(": "),
            )
    return found


def _wait(account: Account, change_set: ChangeSet) -> JsonObject:
    deadline = time.monotonic() + _LONGEST
    while True:
        described = account.call(
            "cloudformation", "describe_change_set", ChangeSetName=change_set.arn
        )
        if not described["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
            return described
        if time.monotonic() > deadline:
            raise RefusedError(
                "CloudFormation has not computed the change set in ten minutes",
                "nothing was changed: run the command again",
            )
        time.sleep(_PAUSE)


def _changes(account: Account, change_set: ChangeSet) -> Iterator[Change]:
    entries = account.pages(
        "cloudformation", "describe_change_set", "Changes", ChangeSetName=change_set.arn
    )
    for entry in entries:
        found = entry.get("ResourceChange")
        if found is not None:
            yield Change(
                str(found["Action"]).lower(),
                found["LogicalResourceId"],
                found["ResourceType"],
                found.get("PhysicalResourceId", ""),
                str(found.get("Replacement", "")).lower(),
                tuple(dict.fromkeys(_details(found))),
                found.get("PolicyAction") == "Retain",
            )


def _details(found: JsonObject) -> Iterator[str]:
    for detail in found.get("Details", []):
        target = detail.get("Target", {})
        named = target.get("Name") or target.get("Attribute")
        if named:
            again = target.get("RequiresRecreation", "Never")
            yield named if again == "Never" else f"{named} (replaces it: {again.lower()})"
