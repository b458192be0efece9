"""A change set → lines for people: what is added, changed, replaced, removed; IAM is marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.account.stacks.change_set import Change, ChangeSet
from pipelines.cli.tables import columns
from pipelines.json_types import JsonObject

_SIGNS: Final = {"add": "+", "modify": "~", "remove": "-", "import": "<", "dynamic": "?"}
_REPLACED: Final = {"true": "replaced", "conditional": "may be replaced"}


def change_set_text(name: str, change_set: ChangeSet) -> str:
    """Show what a change set does to its stack."""
    count = len(change_set.changes)
    verb = "created" if change_set.first else "changed"
    lines = [f"{name} will be {verb}: {count} resource{'' if count == 1 else 's'}"]
    if not count:
        lines[0] = f"{name} will be {verb}: outputs, parameters or conditions"
    rows = [_row(change) for change in change_set.changes]
    lines += [f"  {line.rstrip()}" for line in columns(("", "", "", "", ""), rows).splitlines()[1:]]
    lost = [change for change in change_set.changes if _loses(change)]
    if lost:
        lines.append(f"  what {_names(lost)} holds or is called now is lost")
    return "\n".join(lines)


def new_stack_text(name: str, document: JsonObject, first: str) -> str:
    """Show the stack of a template whose change set cannot be made yet.

    Args:
        name: the stack's name.
        document: the template.
        first: the stack that has to be there before.
    """
    resources = document["Resources"]
    head = f"{name} will be created after {first}: {len(resources)} resources"
    lines = [f"{head} (of the template; CloudFormation has no change set before)"]
    rows = [
        _row(Change("add", logical, resource["Type"])) for logical, resource in resources.items()
    ]
    lines += [f"  {line.rstrip()}" for line in columns(("", "", "", "", ""), rows).splitlines()[1:]]
    return "\n".join(lines)


def _row(change: Change) -> tuple[str, ...]:
    return (
        _SIGNS.get(change.action, "?"),
        change.logical,
        change.type,
        "IAM" if change.is_iam else "",
        ", ".join(_notes(change)),
    )


def _notes(change: Change) -> Iterator[str]:
    if change.replacement in _REPLACED:
        yield _REPLACED[change.replacement]
    if change.action == "remove":
        yield "kept, without the stack" if change.kept else "deleted"
    yield from change.details


def _loses(change: Change) -> bool:
    if change.kept:
        return False
    return change.action == "remove" or change.replacement == "true"


def _names(changes: list[Change]) -> str:
    return ", ".join(change.physical or change.logical for change in changes)
