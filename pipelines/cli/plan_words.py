"""The parts of a plan → words, which all forms of showing it share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelines.diagnostics.sentences import counted
from pipelines.json_types import Json
from pipelines.plan.caching import Cause, Miss, Reason
from pipelines.plan.diff import Change, ChangeKind
from pipelines.plan.files import FileChange, FileChangeKind
from pipelines.plan.model import Action, Plan, Upload
from pipelines.plan.words import nested_word, short, value_text

_SHOWN = 10
_SIGNS = {
    ChangeKind.ADDED: "+",
    ChangeKind.REMOVED: "-",
    ChangeKind.CHANGED: "~",
    ChangeKind.MOVED: "~",
    ChangeKind.ORDERED: "~",
}


def summary(plan: Plan) -> str:
    """Count what there is to do."""
    objects = sum(len(upload.objects) for upload in plan.uploads)
    counts = [
        (objects, "to upload"),
        (sum(resource.action is Action.CREATE for resource in plan.resources), "to create"),
        (sum(resource.action is Action.UPDATE for resource in plan.resources), "to update"),
    ]
    return ", ".join(f"{count} {what}" for count, what in counts if count)


class PlanWords:
    """Writes the parts of a plan: lines without signs and colours.

    Args:
        files: URI of an asset → the files in it that changed.
    """

    def __init__(self, files: Mapping[str, Sequence[FileChange]]) -> None:
        self._files = files

    def upload(self, upload: Upload) -> str:
        """Name an asset and the files of it that changed."""
        what = f"code of {upload.name}" if upload.kind == "code" else f"data {upload.name}"
        if upload.files:
            return f"{what}: {listed(upload.files)}"
        count = len(upload.objects)
        return what if upload.kind == "code" else f"{what} ({counted(count, 'file')})"

    def changes(self, changes: Sequence[Change]) -> Iterator[tuple[str, str]]:
        """Yield sign and text of changes; one that several steps share is one line.

        So is a tag of all of them. What differs in a step's configuration follows its code.
        """
        steps: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for change in changes:
            steps.setdefault(self._lines(change, ""), []).append(change.step or "")
        for change in changes:
            where = steps.pop(self._lines(change, ""), ()) if change.path else (change.step or "",)
            if where:
                yield from self._lines(change, ", ".join(where))

    def _lines(self, change: Change, where: str) -> tuple[tuple[str, str], ...]:
        settings = (one for file in self._files_of(change.after) for one in file.settings)
        return self._line(change, where), *(self._setting(one, where) for one in settings)

    def _setting(self, setting: Change, where: str) -> tuple[str, str]:
        """Word a key of a step's configuration; `aws:` is of all steps."""
        key = ".".join(map(str, setting.path))
        named = key if setting.path[0] == "aws" else f"{where}.{key}"
        return _SIGNS[setting.kind], f"{named}: {self._difference(setting)}"

    def _line(self, change: Change, where: str) -> tuple[str, str]:
        return _SIGNS[change.kind], self._change(change, where)

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
                return listed(files)
            case _:
                return _before_after(change.before, change.after)

    def _files_of(self, value: Json) -> Sequence[FileChange]:
        return self._files.get(value, ()) if isinstance(value, str) else ()

    def miss(self, miss: Miss) -> str:
        """Word why a step runs again."""
        reasons = dict.fromkeys(self._reason(reason) for reason in miss.reasons)
        maybe = "" if miss.certain else "perhaps: "
        return f"{maybe}{'; '.join(reasons)}"

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
                return f"{short(reason.path)} changed" + (f": {listed(files)}" if files else "")


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


def listed(files: Sequence[FileChange]) -> str:
    """Name files that changed, the first ten of them."""
    marks = {
        FileChangeKind.ADDED: " (new)",
        FileChangeKind.REMOVED: " (gone)",
        FileChangeKind.CHANGED: "",
    }
    shown = [change.path + marks[change.kind] for change in files[:_SHOWN]]
    more = len(files) - _SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
