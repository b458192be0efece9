"""A plan → lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelines.cli.printing import style
from pipelines.diagnostics.sentences import counted
from pipelines.json_types import Json
from pipelines.plan.caching import Cause, Miss, Reason
from pipelines.plan.diff import Change, ChangeKind
from pipelines.plan.files import FileChange, FileChangeKind
from pipelines.plan.model import Action, GroupPlan, PipelinePlan, Plan, TagChange, Upload
from pipelines.plan.words import nested_word, short, value_text

_SHOWN = 10
_SIGNS = {
    ChangeKind.ADDED: ("+", "green"),
    ChangeKind.REMOVED: ("-", "red"),
    ChangeKind.CHANGED: ("~", "yellow"),
    ChangeKind.MOVED: ("~", "yellow"),
    ChangeKind.ORDERED: ("~", "yellow"),
}
_COLOURS = {Action.CREATE: "green", Action.UPDATE: "yellow", Action.UNCHANGED: None}


def plan_text(plan: Plan, where: str) -> str:
    """Write a plan.

    Args:
        plan: the plan.
        where: what it is for, such as `account 111122223333, region eu-central-1`.
    """
    return "\n".join(_lines(plan, where))


def _lines(plan: Plan, where: str) -> Iterator[str]:
    yield f"{style(plan.pipeline, bold=True)} in {where}"
    if plan.is_empty:
        yield "nothing to do: everything matches the spec"
    else:
        words = _Words(plan.files)
        for upload in plan.uploads:
            yield _head("upload", "cyan", words.upload(upload))
        for resource in plan.resources:
            yield from words.resource(resource)
        if plan.misses:
            yield "steps that miss their cache and run again:"
            yield from (words.miss(miss) for miss in plan.misses)
        yield _summary(plan)
    for warning in plan.warnings:
        yield f"{style('warning', fg='yellow', bold=True)}: {warning}"


def _head(verb: str, colour: str | None, text: str) -> str:
    return f"{style(verb.ljust(9), fg=colour)} {text}"


def _summary(plan: Plan) -> str:
    objects = sum(len(upload.objects) for upload in plan.uploads)
    counts = [
        (objects, "to upload"),
        (sum(resource.action is Action.CREATE for resource in plan.resources), "to create"),
        (sum(resource.action is Action.UPDATE for resource in plan.resources), "to update"),
    ]
    return ", ".join(f"{count} {what}" for count, what in counts if count)


class _Words:
    """Writes the parts of a plan.

    Args:
        files: URI of an asset → the files in it that changed.
    """

    def __init__(self, files: Mapping[str, Sequence[FileChange]]) -> None:
        self._files = files

    def upload(self, upload: Upload) -> str:
        what = f"code of {upload.name}" if upload.kind == "code" else f"data {upload.name}"
        if upload.files:
            return f"{what}: {_listed(upload.files)}"
        count = len(upload.objects)
        return what if upload.kind == "code" else f"{what} ({counted(count, 'file')})"

    def resource(self, resource: GroupPlan | PipelinePlan) -> Iterator[str]:
        if isinstance(resource, GroupPlan):
            yield _head(
                resource.action, _COLOURS[resource.action], f"model package group {resource.name}"
            )
        else:
            made = " (not created from this spec)" if resource.foreign else ""
            yield _head(
                resource.action, _COLOURS[resource.action], f"pipeline {resource.name}{made}"
            )
            yield from self.changes(resource.changes)
        if resource.arn is not None:
            yield from _tag_lines(resource.tags)

    def changes(self, changes: Sequence[Change]) -> Iterator[str]:
        """Write changes; one that several steps share, as a tag of all of them, is one line."""
        steps: dict[str, list[str]] = {}
        for change in changes:
            steps.setdefault(self._line(change, ""), []).append(change.step or "")
        for change in changes:
            where = steps.pop(self._line(change, ""), ()) if change.path else (change.step or "",)
            if where:
                yield self._line(change, ", ".join(where))

    def _line(self, change: Change, where: str) -> str:
        sign, colour = _SIGNS[change.kind]
        return f"  {style(sign, fg=colour)} {self._change(change, where)}"

    def _change(self, change: Change, where: str) -> str:
        if change.step is None:
            return f"{_of_pipeline(change)}: {self._difference(change)}"
        if not change.path:
            return _step_change(change)
        return f"{where}.{short(change.path)}: {self._difference(change)}"

    def _difference(self, change: Change) -> str:
        files = self._files_of(change.after)
        match change.kind:
            case ChangeKind.ADDED:
                return value_text(_bare(change.after))
            case ChangeKind.REMOVED:
                return value_text(_bare(change.before))
            case ChangeKind.ORDERED:
                return f"now in the order {', '.join(change.after)}"
            case _ if files:
                return _listed(files)
            case _:
                return _before_after(change.before, change.after)

    def _files_of(self, value: Json) -> Sequence[FileChange]:
        return self._files.get(value, ()) if isinstance(value, str) else ()

    def miss(self, miss: Miss) -> str:
        reasons = dict.fromkeys(self._reason(reason) for reason in miss.reasons)
        maybe = "" if miss.certain else "perhaps: "
        return f"  {miss.step}: {maybe}{'; '.join(reasons)}"

    def _reason(self, reason: Reason) -> str:
        match reason.cause:
            case Cause.NEW:
                return "the step is new"
            case Cause.NOT_CACHED_BEFORE:
                return "it was not cached before"
            case Cause.UPSTREAM:
                return f"{reason.name} runs again and changes its input"
            case Cause.PARAMETER:
                values = _before_after(reason.before, reason.after)
                return f"the default of parameter {reason.name} changed: {values}"
            case Cause.EXECUTION:
                return f"it depends on execution.{reason.name}, which differs in every execution"
            case Cause.CHANGED:
                files = self._files_of(reason.after)
                return f"{short(reason.path)} changed" + (f": {_listed(files)}" if files else "")


def _bare(value: Json) -> Json:
    """Take the name off an item of a list that the path names already, as a tag's."""
    names = {"Key", "Name"}
    if isinstance(value, dict) and len(value) == 2 and "Value" in value and names & value.keys():
        return value["Value"]
    return value


def _of_pipeline(change: Change) -> str:
    if change.path[0] == "Parameters" and len(change.path) > 1:
        rest = short(change.path[2:]) if len(change.path) > 2 else ""
        return f"parameter {change.path[1]}" + (f".{rest}" if rest else "")
    return short(change.path)


def _step_change(change: Change) -> str:
    if change.kind is ChangeKind.MOVED:
        return f"step {change.step}: moves from {_branch(change.before)} to {_branch(change.after)}"
    step = change.after if change.kind is ChangeKind.ADDED else change.before
    return f"step {change.step} ({step.get('Type')})"


def _branch(holder: Sequence[str]) -> str:
    return f"{holder[0]}.{nested_word(holder[1]) or holder[1]}" if holder else "the top level"


def _before_after(before: Json, after: Json) -> str:
    one, other = value_text(before), value_text(after)
    if one == other:
        return "differs beyond what is shown here"
    return f"{one} → {other}"


def _tag_lines(tags: TagChange) -> Iterator[str]:
    for key, value in sorted(tags.add.items()):
        yield f"  {style('~', fg='yellow')} tag {key}: {value}"
    for key in tags.remove:
        yield f"  {style('-', fg='red')} tag {key}"


def _listed(files: Sequence[FileChange]) -> str:
    marks = {
        FileChangeKind.ADDED: " (new)",
        FileChangeKind.REMOVED: " (gone)",
        FileChangeKind.CHANGED: "",
    }
    shown = [change.path + marks[change.kind] for change in files[:_SHOWN]]
    more = len(files) - _SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
