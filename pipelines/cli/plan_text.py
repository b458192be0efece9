"""A plan → lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.cli.plan_words import PlanWords, summary
from pipelines.cli.printing import style
from pipelines.plan.model import Action, GroupPlan, PipelinePlan, Plan, TagChange

_SIGNS = {"+": "green", "-": "red", "~": "yellow"}
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
        words = PlanWords(plan.files)
        for upload in plan.uploads:
            yield _head("upload", "cyan", words.upload(upload))
        for resource in plan.resources:
            yield from _resource(words, resource)
        if plan.misses:
            yield "steps that miss their cache and run again:"
            yield from (f"  {miss.step}: {words.miss(miss)}" for miss in plan.misses)
        yield summary(plan)
    for warning in plan.warnings:
        yield f"{style('warning', fg='yellow', bold=True)}: {warning}"


def _head(verb: str, colour: str | None, text: str) -> str:
    return f"{style(verb.ljust(9), fg=colour)} {text}"


def _resource(words: PlanWords, resource: GroupPlan | PipelinePlan) -> Iterator[str]:
    if isinstance(resource, GroupPlan):
        yield _head(
            resource.action, _COLOURS[resource.action], f"model package group {resource.name}"
        )
    else:
        made = " (not created from this spec)" if resource.foreign else ""
        yield _head(resource.action, _COLOURS[resource.action], f"pipeline {resource.name}{made}")
        yield from (
            f"  {style(sign, fg=_SIGNS[sign])} {text}"
            for sign, text in words.changes(resource.changes)
        )
    if resource.arn is not None:
        yield from _tag_lines(resource.tags)


def _tag_lines(tags: TagChange) -> Iterator[str]:
    for key, value in sorted(tags.add.items()):
        yield f"  {style('~', fg='yellow')} tag {key}: {value}"
    for key in tags.remove:
        yield f"  {style('-', fg='red')} tag {key}"
