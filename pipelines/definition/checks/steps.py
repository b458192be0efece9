"""Checks what every step has: its name, its Type, its keys; and that it is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pipelines.definition.findings import error, error_on_key, warning
from pipelines.definition.steps import STEP_KEYS, Definition, Step
from pipelines.diagnostics import Finding
from pipelines.diagnostics.keys import compare_keys
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import in_words
from pipelines.steptypes import UNDOCUMENTED, StepType, meant, names
from pipelines.steptypes.shapes import shapes_of

_REQUIRED: Final = ("Name", "Type")
_TEXTS: Final = {"DisplayName": 256, "Description": 3072}
_NAME: Final = re.compile(r"[A-Za-z0-9\-_]{1,64}")


def check(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with each step apart from its arguments."""
    for path, value in definition.misplaced:
        help_text = "write the whole step here, not its name" if isinstance(value, str) else None
        yield error("SP504", path, "a step has to be an object", help_text)
    for step in definition.steps:
        yield from _check_name(definition, step)
        yield from _check_type(step)
        yield from _check_keys(step)
        yield from _check_texts(step)
        if not isinstance(step.whole.get("Arguments"), dict | None):
            path = (*step.path, "Arguments")
            yield error("SP504", path, "`Arguments` has to be an object")


def _check_name(definition: Definition, step: Step) -> Iterator[Finding]:
    name, path = step.whole.get("Name"), (*step.path, "Name")
    if name is None:
        return
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        message = f"{in_words(name)} is not a valid step name"
        yield error("SP506", path, message, "use 1 to 64 letters, digits, `-` and `_`")
    elif definition.named[name] is not step:
        help_text = "names are unique in the whole pipeline, branches included"
        yield error("SP506", path, f"there are two steps `{name}`", help_text)


def _check_type(step: Step) -> Iterator[Finding]:
    given, path = step.whole.get("Type"), (*step.path, "Type")
    if given is None or step.known is not None:
        return
    if step.type in UNDOCUMENTED:
        message = f"nobody documents the arguments of a `{step.type}` step; they are not checked"
        yield warning("SP523", path, message)
        return
    close = meant(step.type)
    yield error(
        "SP505",
        path,
        f"{in_words(given)} is not a step Type",
        f"did you mean `{close}`?" if close else "known are " + ", ".join(names()),
    )


def _check_keys(step: Step) -> Iterator[Finding]:
    """Yield unknown keys and missing ones; of an unknown Type only those that any step has."""
    step_type = step.known
    own = step_type.step_keys if step_type is not None else ()
    known = (*STEP_KEYS, *(key.name for key in own))
    required = [*_REQUIRED, *(key.name for key in own if key.required)]
    if step_type is not None and not step_type.bare:
        required.append("Arguments")
    missing = [key for key in required if step.whole.get(key) is None]
    mistakes = compare_keys(step.whole, known, missing)
    place = f"a `{step.type}` step" if step.type else "a step"
    for key, close in mistakes.unknown.items():
        help_text = _belongs_inside(key, step_type) or close
        if step_type is not None or nearest(key, missing) is not None:
            path = (*step.path, key)
            yield error_on_key("SP504", path, f"unknown key `{key}` in {place}", help_text)
    for key in mistakes.missing:
        where = "a step" if key in STEP_KEYS else place
        yield error("SP504", step.path, f"`{key}` is missing in {where}")


def _belongs_inside(key: str, step_type: StepType | None) -> str | None:
    request = shapes_of(step_type).request if step_type is not None else None
    inside = request is not None and key in request.members
    return f"`{key}` belongs into `Arguments`" if inside else None


def _check_texts(step: Step) -> Iterator[Finding]:
    for key, most in _TEXTS.items():
        text, path = step.whole.get(key), (*step.path, key)
        if text is None:
            continue
        if not isinstance(text, str):
            yield error("SP504", path, f"`{key}` has to be a string")
        elif len(text) > most:
            message = f"`{key}` has {len(text)} characters, but may have {most}"
            yield error("SP504", path, message)
