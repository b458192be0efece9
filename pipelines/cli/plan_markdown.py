"""A plan → Markdown for a pull request, as GitHub and GitLab show it.

What names and values hold is text: it stands in code spans and code blocks alone, in which no
Markdown, HTML, mention or link has a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from pipelines.cli.plan_words import PlanWords, summary
from pipelines.diagnostics.excerpts import visible
from pipelines.frozen import frozen
from pipelines.plan.model import Action, GroupPlan, PipelinePlan, Plan, TagChange

LIMIT = 65_536
"""What GitHub takes as a comment, in characters; counted here in bytes, which are no fewer."""

_CAPS = (1000, 400, 150, 50, 20, 10, 3)
"""How many entries of each list are shown, the most that fit into the limit."""

_LONGEST_CODE = 120
_LONGEST_LINE = 400
_TICKS = re.compile("`+")
_QUOTED = re.compile("`[^`]+`")
_WORDS = re.compile(r"`[^`\n]+`[,;:.]?(?!\S)|\S+")
_PLAIN = re.compile(r"\(?[A-Za-z0-9]+(?:['-][A-Za-z]+)*\)?[,;:.]?|→")
_NO_NOTES: Mapping[str, Iterable[str]] = MappingProxyType({})
_SIGNS = {"~": "!"}
"""What a block of `diff` has for a line that changed."""


def plan_markdown(
    plan: Plan, where: str, env: str | None = None, notes: Mapping[str, Iterable[str]] = _NO_NOTES
) -> str:
    """Write a plan.

    Args:
        plan: the plan.
        where: what it is for, such as `account 111122223333, region eu-central-1`.
        env: the environment of the spec that it is for.
        notes: further lines below titles, such as the quotas that are needed.
    """
    place = f"{prose(where)}, environment {code(env)}" if env is not None else prose(where)
    further = ((title, tuple(map(prose, lines))) for title, lines in notes.items())
    lists = (*_lists(plan), *(_List(title, lines) for title, lines in further if lines))
    for cap in _CAPS:
        lines = [f"### Plan for {code(plan.pipeline)}", "", place]
        lines += [line for each in lists for line in each.lines(cap)]
        text = "\n".join([*lines, ""])
        if len(text.encode()) <= LIMIT:
            return text
    message = "a plan of three entries a list is longer than a comment"
    raise AssertionError(message)


@frozen
class _List:
    """A title and what stands below it.

    Args:
        title: the title, or a sentence that stands alone.
        entries: below it.
        is_folded: whether they are lines of a block that is folded, and not a list.
    """

    title: str
    entries: tuple[str, ...] = ()
    is_folded: bool = False

    def lines(self, cap: int) -> Iterator[str]:
        """Yield so many entries, and how many are left out."""
        shown, more = self.entries[:cap], len(self.entries) - cap
        left_out = (f"… and {more} more: `pipelines plan` shows all",) if more > 0 else ()
        if self.is_folded:
            fence = _fence(shown, 3)
            yield from ("", "<details>", f"<summary>{self.title}</summary>", "")
            yield from (f"{fence}diff", *shown, *(f"  {text}" for text in left_out), fence)
            yield from ("", "</details>")
        elif not shown:
            yield from ("", self.title)
        else:
            yield from ("", f"**{self.title}**", "")
            yield from (f"- {entry}" for entry in (*shown, *left_out))


def _lists(plan: Plan) -> Iterator[_List]:
    words = PlanWords(plan.files)
    if plan.is_empty:
        yield _List("Nothing to do: everything matches the spec.")
    else:
        yield _List(f"What changes: {summary(plan)}", tuple(_resources(plan, words)))
        yield _runs(plan, words)
        for resource in plan.resources:
            yield from _details(resource, words)
    if plan.warnings:
        yield _List("Warnings", tuple(map(prose, plan.warnings)))


def _resources(plan: Plan, words: PlanWords) -> Iterator[str]:
    for resource in plan.resources:
        if resource.action is not Action.UNCHANGED:
            yield f"**{resource.action}** {_resource(resource)}"
    for upload in plan.uploads:
        yield f"**upload** {prose(words.upload(upload))}"


def _runs(plan: Plan, words: PlanWords) -> _List:
    """Return which steps run again; of a pipeline that is new, that all of them do."""
    if any(one.name == plan.pipeline and one.arn is None for one in plan.pipelines):
        return _List("The pipeline is new: every step runs.")
    if not plan.misses:
        return _List("No step loses its cached result.")
    reasons = tuple(f"{code(one.step)}: {prose(words.miss(one))}" for one in plan.misses)
    return _List("Steps that miss their cache and run again", reasons)


def _details(resource: GroupPlan | PipelinePlan, words: PlanWords) -> Iterator[_List]:
    """Yield the changes of a group or a pipeline; a new one is all change."""
    if resource.action is not Action.UPDATE:
        return
    changes = words.changes(resource.changes) if isinstance(resource, PipelinePlan) else ()
    lines = (*(f"{_SIGNS.get(s, s)} {t}" for s, t in changes), *_tags(resource.tags))
    shown = tuple(
        _cut(visible(_cut(line, _LONGEST_LINE), kept=""), _LONGEST_LINE) for line in lines
    )
    word = "pipeline" if isinstance(resource, PipelinePlan) else "model package group"
    title = f"Changes of {word} <code>{_html(resource.name)}</code> ({len(shown)})"
    if shown:
        yield _List(title, shown, is_folded=True)


def code(text: str) -> str:
    """Write a text as a code span: whatever it holds, it is shown as it is, in one line."""
    shown = _cut(visible(_cut(text, _LONGEST_CODE + 1), kept=""), _LONGEST_CODE) or " "
    ticks = _fence([shown], 1)
    space = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


def prose(text: str) -> str:
    """Write a sentence: plain words as they are, each other word as a code span."""
    return " ".join(map(_word, _WORDS.findall(_cut(text, _LONGEST_LINE))))


def _word(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    bare = word.rstrip(",;:.") or word
    quoted = bare[1:-1] if _QUOTED.fullmatch(bare) else bare
    return f"{code(quoted)}{word[len(bare) :]}"


def _resource(resource: GroupPlan | PipelinePlan) -> str:
    if isinstance(resource, GroupPlan):
        return f"model package group {code(resource.name)}"
    made = ", which was **not created from this spec**" if resource.foreign else ""
    return f"pipeline {code(resource.name)}{made}"


def _tags(tags: TagChange) -> list[str]:
    added = [f"! tag {key}: {value}" for key, value in sorted(tags.add.items())]
    return [*added, *(f"- tag {key}" for key in tags.remove)]


def _fence(lines: Iterable[str], least: int) -> str:
    """Return a run of backticks that is longer than any in the lines."""
    longest = max((len(run) for line in lines for run in _TICKS.findall(line)), default=0)
    return "`" * max(least, longest + 1)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _html(text: str) -> str:
    return "".join(c if c.isalnum() or c == "-" else f"&#{ord(c)};" for c in visible(text, kept=""))
