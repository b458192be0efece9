"""What is deployed of a stack, and whether it can be changed now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from pipelines.account.account import Account
from pipelines.document.plain import read_plain
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_NOTHING: Final = frozenset({"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"})
_BUSY: Final = "_IN_PROGRESS"


@frozen
class Deployed:
    """A stack as it is.

    Args:
        name: its name.
        region: where it is.
        status: CloudFormation's; None where there is no such stack.
        arn: its ARN; empty where there is none.
        parameters: the values that it was made with.
        defaults: those that its own template gives.
        resources: logical id → physical id.
        outputs: name → value.
        metadata: of its template.
    """

    name: str
    region: str
    status: str | None = None
    arn: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    metadata: JsonObject = field(default_factory=dict)

    @property
    def is_there(self) -> bool:
        """Whether it has ever been made; a stack of change sets alone has not."""
        return self.status is not None and self.status not in _NOTHING

    @property
    def is_busy(self) -> bool:
        """Whether an operation is at work on it."""
        return self.is_there and (self.status or "").endswith(_BUSY)

    def chosen(self) -> dict[str, str]:
        """Return the parameters that somebody chose: those that are not the defaults."""
        return {
            name: value
            for name, value in self.parameters.items()
            if self.defaults.get(name) != value
        }

    def require_changeable(self) -> None:
        """Refuse a state that CloudFormation leads nowhere from.

        Raises:
            UsageError: with the command that leads out of it.
        """
        found = way_out(self.name, self.region, self.status or "", is_empty=not self.resources)
        if found is not None:
            raise UsageError(
                f"the stack {self.name} is in {self.status}: it cannot be updated",
                f"{found}; when that is done, run the command again",
            )

    def require_free(self) -> None:
        """Refuse a stack that an operation is at work on.

        Raises:
            UsageError: it is being changed.
        """
        if self.is_busy:
            raise UsageError(
                f"the stack {self.name} is being changed ({self.status})",
                "run the command again when that is done; `ci apply` waits for it",
            )


def way_out(name: str, region: str, status: str, *, is_empty: bool = False) -> str | None:
    """Return what leads a stack out of a state that takes no change; None where it takes one.

    Args:
        name: of the stack.
        region: where it is.
        status: its state.
        is_empty: whether it has no resource.
    """
    command = _WAYS_OUT.get(status)
    if is_empty and status == _NOTHING_IMPORTED:
        command = "delete-stack"
    if command is None:
        return None
    words = f"aws cloudformation {command} --stack-name {name} --region {region}"
    return f"{_WHY[command]} `{words}`"


_NOTHING_IMPORTED: Final = "IMPORT_ROLLBACK_COMPLETE"
_WAYS_OUT: Final = {
    "ROLLBACK_COMPLETE": "delete-stack",
    "CREATE_FAILED": "delete-stack",
    "ROLLBACK_FAILED": "delete-stack",
    "DELETE_FAILED": "delete-stack",
    "IMPORT_ROLLBACK_FAILED": "continue-update-rollback",
    "UPDATE_ROLLBACK_FAILED": "continue-update-rollback",
}
_WHY: Final = {
    "delete-stack": "nothing of it is in use, or it was to be deleted: delete it with",
    "continue-update-rollback": (
        "fix what its events name, then let it go back to its last good state with"
    ),
}


def read_stack(account: Account, name: str) -> Deployed:
    """Read a stack by its name, or one that was deleted by its ARN."""
    try:
        found = account.call("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]
    except CallRefusedError as error:
        if error.is_missing:
            return Deployed(name, account.region)
        raise
    status, arn = str(found["StackStatus"]), str(found["StackId"])
    if status in _NOTHING:
        return Deployed(name, account.region, status, arn)
    summary = account.call("cloudformation", "get_template_summary", StackName=name)
    resources = account.pages(
        "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=name
    )
    return Deployed(
        name,
        account.region,
        status,
        arn,
        {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", [])},
        {
            one["ParameterKey"]: one["DefaultValue"]
            for one in summary.get("Parameters", [])
            if "DefaultValue" in one
        },
        {
            one["LogicalResourceId"]: one.get("PhysicalResourceId", "")
            for one in resources
            if one["ResourceStatus"] not in {"DELETE_COMPLETE", "CREATE_FAILED"}
        },
        {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])},
        _metadata(summary.get("Metadata")),
    )


def _metadata(text: object) -> JsonObject:
    """Read the metadata of a template, which are JSON within a text."""
    found: Json = read_plain(text) if isinstance(text, str) else None
    return found if isinstance(found, dict) else {}
