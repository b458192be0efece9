"""Findings about the definition → findings about the spec that it was compiled from.

What leads back is what the fields of the models declare (`spec.members`): the keys are
SageMaker's own words in snake_case, unless a field says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from pipelines import kinds
from pipelines.compile.placing import taken_from_defaults
from pipelines.compile.wording import ACCOUNT_KEYS, Words
from pipelines.diagnostics import Finding, Path
from pipelines.frozen import frozen
from pipelines.grammar.functions import is_function
from pipelines.grammar.names import snake_case
from pipelines.json_types import Json, JsonObject
from pipelines.spec.members import (
    RequestMember,
    declared,
    fields_of,
    holds_members,
    is_model,
    type_below,
)
from pipelines.spec.steps import JobStep, StepSpec

_COUNT = "SP415"
"""The code of what is too long, too short, too many or too few."""


def to_spec(
    found: Iterable[Finding], definition: JsonObject, origins: Mapping[str, str], spec: Json
) -> Iterator[Finding]:
    """Move findings from the definition to the document; what several steps share stands once.

    Args:
        found: findings with paths into the definition.
        definition: the definition.
        origins: for each of its steps the step of the spec that it comes from.
        spec: the document's data.
    """
    moved = (_moved(finding, definition, origins, spec) for finding in found)
    yield from dict.fromkeys(moved)


def _moved(
    finding: Finding, definition: JsonObject, origins: Mapping[str, str], spec: Json
) -> Finding:
    step, crumbs = _crumbs(finding.path, definition, origins)
    if step is None:
        path, model = _top_path(finding.path, definition), None
    else:
        model = _model(_child(_child(spec, "steps"), step))
        verbatim = _verbatim_path(step, model, crumbs, spec)
        if verbatim is not None:
            return replace(finding, path=verbatim, within=None)
        if _is_verbatim(model):
            return replace(finding, path=_step_path(step, model, crumbs, spec), within=None)
        path = _account_path(crumbs, spec) or _step_path(step, model, crumbs, spec)
    advice = _counted(finding, path, crumbs, spec)
    own = path[-1] if path and path[0] != "aws" else None
    shared = _shared(finding.path, path) if own is None else {}
    words = Words(model, set(finding.path) - set(path), own, shared)
    return replace(
        finding,
        message=words.translate(finding.message),
        help=words.translate(advice) if advice else None,
        path=path,
        within=None,
    )


def _counted(finding: Finding, path: Path, crumbs: Sequence[_Crumb], spec: Json) -> str | None:
    """Return the help of a finding; of one about a number of entries, those that nobody wrote."""
    if finding.code != _COUNT or not crumbs or len(path) <= len(("steps", "NAME")):
        return finding.help
    written, sent = spec, crumbs[-1].value
    for part in path:
        written = _child(written, part)
    if not (isinstance(written, dict | list) and isinstance(sent, dict | list)):
        return finding.help
    added = len(sent) - len(written)
    verb = "comes" if added == 1 else "come"
    added_text = f"{added} of them {verb} from the kind, as the step's code does"
    return f"{added_text}; {finding.help}" if added > 0 else finding.help


@frozen
class _Crumb:
    """One part of a finding's path, with what stands there in the definition and around it."""

    part: str | int
    value: Json
    around: Json


def _crumbs(
    path: Path, definition: Json, origins: Mapping[str, str]
) -> tuple[str | None, list[_Crumb]]:
    """Return the innermost step that a path leads into, and the rest of the path below it."""
    value, step, crumbs = definition, None, list[_Crumb]()
    for part in path:
        around, value = value, _child(value, part)
        if isinstance(value, dict) and "Type" in value and value.get("Name") in origins:
            step, crumbs = origins[value["Name"]], []
        elif part != "Arguments":
            crumbs.append(_Crumb(part, value, around))
    return step, crumbs


def _top_path(path: Path, definition: Json) -> Path:
    match path:
        case ("Parameters", *rest):
            parameter = _child(_child(definition, "Parameters"), rest[0]) if rest else None
            name = _child(parameter, "Name")
            return ("parameters", name) if isinstance(name, str) else ("parameters",)
        case ("Steps", *_):
            return ("steps",)
        case _:
            return ()


def _account_path(crumbs: Sequence[_Crumb], spec: Json) -> Path | None:
    """Return the place in `aws:` that is written once for a member of every step.

    A text that stands nowhere in `aws:` is the step's own, as the key of its answers may be.
    """
    aws = _child(spec, "aws")
    for index, crumb in enumerate(crumbs):
        key = ACCOUNT_KEYS.get(str(crumb.part))
        if key is None or _child(aws, key) is None:
            continue
        if not isinstance(crumb.value, str) or crumb.value in aws.values():
            return ("aws", key, *_below(_child(aws, key), crumbs[index + 1 :]))
    return None


def _below(value: Json, crumbs: Iterable[_Crumb]) -> Iterator[str | int]:
    """Yield the keys and indexes below a key of `aws:` that crumbs lead to."""
    for crumb in crumbs:
        named = crumb.value.get("Key") if isinstance(crumb.value, dict) else None  # of a tag
        part = snake_case(crumb.part) if isinstance(crumb.part, str) else named or crumb.part
        value = _child(value, part)
        if value is None:
            return
        yield part


def account_key(member: Json) -> str | None:
    """Return the key of `aws:` that a member comes from, in whatever request."""
    return ACCOUNT_KEYS.get(str(member))


_Place: TypeAlias = tuple[int, int]
"""How much of a path a place explains: the last crumb that it used, and its depth."""


def _is_verbatim(model: type[StepSpec] | None) -> bool:
    """Return whether a step is written in the words of the API, its whole request."""
    field = fields_of(model).get("arguments") if model is not None else None
    return field is not None and holds_members(field)


def _verbatim_path(
    step: str, model: type[StepSpec] | None, crumbs: list[_Crumb], spec: Json
) -> Path | None:
    """Return the place of what a step's keys hold as it is in the request; None elsewhere."""
    written = _child(_child(spec, "steps"), step)
    fields = fields_of(model) if model is not None else {}
    keys = [key for key, field in fields.items() if holds_members(field)]
    held = [(key, _child(written, key)) for key in keys]
    places = [
        place
        for key, value in held
        for place in _places(_Written(value, None, None, ("steps", step, key)), crumbs, 0)
    ]
    (explained, _), path = max(places, key=lambda found: found[0], default=((0, 0), ()))
    return path if explained else None


def _step_path(step: str, model: type[StepSpec] | None, crumbs: list[_Crumb], spec: Json) -> Path:
    """Return the keys of a step that explain most of a path: its last part, then the deepest."""
    written = _child(_child(spec, "steps"), step)
    own = _Written(written, model, None, ("steps", step))
    defaults = _Written(taken_from_defaults(spec, written), JobStep, None, ("defaults",))
    places = (*_places(own, crumbs, 0), *_places(defaults, crumbs, 0))
    return max(places, key=lambda found: found[0])[1]


@frozen
class _Written:
    """A value of the document on the way to the place of a finding.

    Args:
        value: the value.
        type: its type in the models; None where it is not known.
        member: what the field declares that holds it.
        path: where it stands.
    """

    value: Json
    type: Any
    member: RequestMember | None
    path: Path

    def inner(self, key: str | int, member: RequestMember | None = None) -> _Written | None:
        """Return what is written below; None where nothing is."""
        value = _child(self.value, key)
        if value is None:
            return None
        return _Written(value, type_below(self.type, key), member, (*self.path, key))


def _places(written: _Written, crumbs: list[_Crumb], start: int) -> Iterator[tuple[_Place, Path]]:
    yield (start, len(written.path)), written.path
    for inner in _flat(written):
        yield from _places(inner, crumbs, start)
    for end in range(start + 1, len(crumbs) + 1):
        for inner in _inner(written, crumbs[:end]):
            yield from _places(inner, crumbs, end)


def _flat(written: _Written) -> Iterator[_Written]:
    """Yield the blocks below a value whose keys become members beside those of the value."""
    for key, field in fields_of(written.type).items() if is_model(written.type) else ():
        member = declared(field)
        if member is not None and not member.paths and (inner := written.inner(key, member)):
            yield inner


def _inner(written: _Written, crumbs: list[_Crumb]) -> Iterator[_Written]:
    """Yield what is written below a value for the last of the crumbs that led here."""
    crumb = crumbs[-1]
    if is_model(written.type):
        for key, field in fields_of(written.type).items():
            member = declared(field)
            if _stands_for(key, member, crumbs) and (inner := written.inner(key, member)):
                yield inner
        return
    for entry in _entries(written, crumb):
        if inner := written.inner(entry):
            yield inner


def _stands_for(key: str, member: RequestMember | None, crumbs: list[_Crumb]) -> bool:
    """Return whether a key becomes the member that the crumbs lead to."""
    crumb = crumbs[-1]
    if member is None:
        return isinstance(crumb.part, str) and key in {crumb.part, snake_case(crumb.part)}
    if member.entry is not None:
        if _child(crumb.value, member.named_by or "") != member.entry:
            return False
    elif isinstance(crumb.part, int):
        return False
    trail = tuple(one.part for one in crumbs if isinstance(one.part, str))
    return any(trail[-len(path) :] == path for path in member.paths)


def _entries(written: _Written, crumb: _Crumb) -> Iterator[str | int]:
    """Yield the keys of a mapping or a list that an entry of the definition may come from."""
    if isinstance(written.value, list) or isinstance(crumb.part, str):
        yield crumb.part
    elif isinstance(crumb.value, dict) and written.member and written.member.named_by:
        yield str(crumb.value.get(written.member.named_by))
    elif isinstance(crumb.around, list) and (
        isinstance(crumb.value, str) or is_function(crumb.value)
    ):
        option = crumb.around[crumb.part - crumb.part % 2]  # of the pairs `--key value`
        yield str(option).removeprefix("--")


def _shared(found: Path, path: Path) -> dict[str, str]:
    """Return the member that a finding in `aws:` is about, and how its place is written."""
    members = [part for part in found if isinstance(part, str)]
    keys = [part for part in path if isinstance(part, str)]
    return {members[-1]: ".".join(keys)} if members and keys else {}


def _model(step: Json) -> type[StepSpec] | None:
    kind = _child(step, "kind")
    found = kinds.find(kind) if isinstance(kind, str) else None
    return found.model_of(step) if found else None


def _child(value: Json, part: str | int) -> Json:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
