"""Checks the steps that `DependsOn` and arguments name as texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.dependencies import TRIGGERS, declared, in_arguments
from pipelines.definition.findings import Keys, error
from pipelines.definition.steps import Definition, Step
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import in_words, suggestion
from pipelines.json_types import Json

_KEYS: Final = Keys("SP510", "`DependsOn`", ("Step", "Trigger"), ("Step",))
_FORM: Final = 'write "<step>" or {"Step": "<step>", "Trigger": "Failed"}'


def check(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with the names; order and branches are checked elsewhere."""
    for step in definition.steps:
        yield from _check_form(step)
        for named in declared(step):
            target = definition.named.get(named.step)
            if target is None:
                yield _no_step(definition, named.step, named.path)
            elif target.known is not None and target.known.terminal:
                message = f"`{named.step}` is a {target.type} step, nothing can wait for it"
                yield error("SP510", named.path, message)
        for named in in_arguments(step):
            if named.step not in definition.named:
                yield _no_step(definition, named.step, named.path)


def _no_step(definition: Definition, name: str, path: Path) -> Finding:
    help_text = suggestion(name, definition.named)
    return error("SP516", path, f"there is no step `{name}`", help_text)


def _check_form(step: Step) -> Iterator[Finding]:
    listed, path = step.whole.get("DependsOn"), (*step.path, "DependsOn")
    if listed is None:
        return
    if not isinstance(listed, list):
        yield error("SP510", path, "`DependsOn` has to be a list")
        return
    for index, item in enumerate(listed):
        yield from _check_entry(item, (*path, index))


def _check_entry(item: Json, path: Path) -> Iterator[Finding]:
    if isinstance(item, str):
        return
    if not isinstance(item, dict):
        yield error("SP510", path, "an entry of `DependsOn` has to name a step", _FORM)
        return
    mistakes = _KEYS.compare(item)
    yield from _KEYS.unknown(mistakes, path)
    if not isinstance(item.get("Step"), str) and not mistakes.means("Step"):
        yield error("SP510", path, "an entry of `DependsOn` has to name a step", _FORM)
    trigger = item.get("Trigger")
    if trigger is not None and trigger not in TRIGGERS:
        help_text = suggestion(trigger if isinstance(trigger, str) else "", TRIGGERS)
        yield error("SP510", (*path, "Trigger"), f"{in_words(trigger)} is not a trigger", help_text)
