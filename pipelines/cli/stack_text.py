"""What becomes of a stack → lines for people, or JSON: added, changed, replaced, removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pipelines.account.stacks.change_set import Change, ChangeSet
from pipelines.cli.tables import columns
from pipelines.frozen import frozen
from pipelines.infra.model import Place
from pipelines.json_types import JsonObject

_SIGNS: Final = {"add": "+", "modify": "~", "remove": "-", "import": "<", "dynamic": "?"}
_REPLACED: Final = {"true": "replaced", "conditional": "may be replaced"}


@frozen
class Upload:
    """The tool's wheel on its way into a bucket.

    Args:
        bucket: the bucket.
        key: its key there.
        replaces: whether something else lies there.
    """

    bucket: str
    key: str
    replaces: bool

    @property
    def text(self) -> str:
        """What it does, as a line."""
        what = "what is there is not the tool" if self.replaces else "the tool that the builds run"
        return f"  {'~' if self.replaces else '+'} s3://{self.bucket}/{self.key}: {what}"


@frozen
class PlannedStack:
    """What becomes of a stack.

    Args:
        name: the stack's name.
        place: where it is.
        file: its template.
        change_set: what CloudFormation computed; None where nothing changes, or it cannot yet.
        after: what has to come first; None where the change set says all.
        resources: those of the template, which a change set cannot show yet.
        uploads: of the tool.
        said: what a person has to know besides.
    """

    name: str
    place: Place
    file: str
    change_set: ChangeSet | None = None
    after: str | None = None
    resources: tuple[Change, ...] = ()
    uploads: tuple[Upload, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def is_pending(self) -> bool:
        """Whether there is something to do."""
        return self.change_set is not None or self.after is not None or bool(self.uploads)

    @property
    def action(self) -> str:
        """What is done with the stack: `import`, `create`, `update` or `none`."""
        if self.change_set is None:
            return "none" if self.after is None else "create"
        if any(change.is_import for change in self.change_set.changes):
            return "import"
        return "create" if self.change_set.first else "update"


def planned_text(planned: PlannedStack) -> str:
    """Show what becomes of a stack."""
    lines = list(_lines(planned))
    lines += [upload.text for upload in planned.uploads]
    lines += [f"  {one}" for one in planned.said]
    return "\n".join(lines)


def planned_json(planned: PlannedStack) -> JsonObject:
    """Return what becomes of a stack as data."""
    changes = planned.change_set.changes if planned.change_set else planned.resources
    return {
        "stack": planned.name,
        "account": planned.place.account,
        "region": planned.place.region,
        "template": planned.file,
        "action": planned.action,
        "after": planned.after,
        "changes": [_change_json(one) for one in changes],
        "uploads": [
            {"uri": f"s3://{one.bucket}/{one.key}", "replaces": one.replaces}
            for one in planned.uploads
        ],
        "notes": list(planned.said),
    }


def _change_json(change: Change) -> JsonObject:
    return {
        "action": change.action,
        "id": change.logical,
        "type": change.type,
        "name": change.physical or None,
        "replacement": change.replacement or None,
        "iam": change.is_iam,
        "kept": change.kept,
        "properties": list(change.details),
    }


def _lines(planned: PlannedStack) -> Iterator[str]:
    change_set = planned.change_set
    if change_set is None and planned.after is None:
        yield f"{planned.name}: nothing changes"
    elif change_set is None:
        head = f"{planned.name} will be created after {planned.after}: "
        head += f"{len(planned.resources)} resources"
        yield f"{head} (of the template; CloudFormation has no change set before)"
        yield from _table(planned.resources)
    else:
        yield f"{planned.name} will be {_verb(planned)}: {_count(change_set)}"
        yield from _table(change_set.changes)
        lost = [change for change in change_set.changes if _loses(change)]
        if lost:
            yield f"  what {_names(lost)} holds or is called now is lost"
        if planned.action == "import":
            yield "  then, by a second change set, it becomes what the template says"


def _verb(planned: PlannedStack) -> str:
    if planned.action == "import":
        return "given what exists"
    return "created" if planned.action == "create" else "changed"


def _count(change_set: ChangeSet) -> str:
    count = len(change_set.changes)
    if not count:
        return "outputs, parameters or conditions"
    return f"{count} resource{'' if count == 1 else 's'}"


def _table(changes: Iterable[Change]) -> Iterator[str]:
    rows = [_row(change) for change in changes]
    for line in columns(("", "", "", "", ""), rows).splitlines()[1:]:
        yield f"  {line.rstrip()}"


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
