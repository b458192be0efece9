"""pydantic's errors → findings in our words, with our codes and our paths."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.keys import compare_keys
from pipelines.spec.base import ShortFormModel
from pipelines.spec.members import fields_of, is_model, type_below
from pipelines.spec.model import Parameter
from pipelines.spec.other_words import meant
from pipelines.spec.values import describe

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "`true` or `false`",
    "list_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "nothing",
}
_OPTIONS = "write each option as a key, such as `NAME: VALUE` for `--NAME VALUE`"
_OF_MODELS = frozenset({"model_type", "model_attributes_type"})
_FIXED = frozenset({"bool_type", "int_type", "int_from_float", "float_type"})
_WRITE_OUT = "write it out; per environment it can be overlaid with `environments:`"
"""What to do where a value has to be known while compiling."""
_BOUNDS = {
    "less_than_equal": ("le", "cannot be more than"),
    "greater_than_equal": ("ge", "cannot be less than"),
    "less_than": ("lt", "must be less than"),
    "greater_than": ("gt", "must be more than"),
}
"""What pydantic calls a bound, where it has it, and what we say of a value beyond it."""


def findings(error: ValidationError, model: type[BaseModel], base: Path) -> Iterator[Finding]:
    """Translate every error of one validation; `base` is where the validated value stands.

    A required key that stands there misspelt is one mistake, not two.
    """
    details = error.errors(include_url=False)
    meant = {_meant(d["loc"], model) for d in details if d["type"] == "extra_forbidden"}
    for detail in details:
        if detail["type"] != "missing" or detail["loc"] not in meant:
            yield _finding(detail, model, base)


def _meant(location: Path, model: type[BaseModel]) -> Path:
    """Return where the key would stand that an unknown one is nearest to."""
    owner = _model_at(model, location[:-1])
    close = meant(str(location[-1]), _keys(owner)) if owner else None
    return (*location[:-1], close or "")


def _finding(detail: ErrorDetails, model: type[BaseModel], base: Path) -> Finding:
    location = tuple(part for part in detail["loc"] if part != "[key]")
    path = (*base, *location)
    kind = detail["type"]
    if kind.startswith("SP"):
        return _own(detail, path)
    if kind == "extra_forbidden":
        return _unknown_key(location, model, path)
    if kind == "missing":
        key = location[-1]
        return Finding(
            "SP120", f"{_place(path[:-1])} lacks the key `{key}`", path[:-1], at="key",
            help=f"add `{key}:`{_description(model, location)}",
        )  # fmt: skip
    if kind in {"literal_error", "enum"}:
        return _not_a_choice(detail, path)
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        most = detail.get("ctx", {})[bound]
        message = f"`{_name(path)}` {words} {int(most) if most == int(most) else most}"
        return Finding("SP122", message, path, help=f"got {describe(detail['input'])}")
    return _wrong_type(detail, _model_at(model, location) if kind in _OF_MODELS else None, path)


def _wrong_type(detail: ErrorDetails, block: type[BaseModel] | None, path: Path) -> Finding:
    kind, value = detail["type"], detail["input"]
    if kind in _FIXED and _is_reference(value):
        return _no_reference(path)
    wanted = _WANTED.get(kind, "something else")
    if block is not None and issubclass(block, ShortFormModel):
        wanted = f"a text or {wanted}"
    message = f"`{_name(path)}` must be {wanted}, got {describe(value)}"
    advice = _instead(kind, value)
    if block is not None and path[-1] in _keys(block) and len(path) > 1:
        advice = f"a name stands above it: write `NAME:`, and `{path[-1]}:` below it"
    elif block is Parameter and isinstance(value, str | bool | int | float):
        advice = _parameter(value)
    elif advice is None and block is not None:
        advice = f"its keys are {', '.join(_keys(block))}"
    return Finding("SP121", message, path, help=advice)


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and "${" in value


def _no_reference(path: Path) -> Finding:
    message = f"`{_name(path)}` is needed while compiling: it cannot hold a reference"
    return Finding("SP124", message, path, help=_WRITE_OUT)


def _instead(kind: str, value: object) -> str | None:
    """Show a value as what was wanted, where one can tell."""
    match kind:
        case "dict_type" | "mapping_type" if isinstance(value, list):
            return by_name(value)
        case "dict_type" | "mapping_type" if isinstance(value, str):
            return _OPTIONS if value.startswith("--") else "an entry stands under its name: `NAME:`"
        case "list_type" if isinstance(value, str | dict):
            one = isinstance(value, str)
            return f"write `[{value}]`" if one else "write `-` before each entry, without a name"
        case "bool_type" if value in ("yes", "on", "no", "off"):
            return f"write `{str(value in ('yes', 'on')).lower()}`"
        case _:
            return _number(kind, value)


def _number(kind: str, value: object) -> str | None:
    """Show a number that was written in another way."""
    match kind, value:
        case "int_type", str() if value.isdecimal():
            return f"write the number {value}, not a text"
        case "int_type" | "int_from_float", float() if value.is_integer():
            return f"write `{value:.0f}`"
        case _:
            return None


def _parameter(default: object) -> str:
    """Write a parameter that has this default."""
    types = {str: "string", bool: "boolean", int: "integer", float: "float"}
    return f"write `{{type: {types[type(default)]}, default: {json.dumps(default)}}}`"


def by_name(entries: Sequence[object]) -> str:
    """Say how entries are written that have names, by the first one."""
    match entries:
        case [{"name": str(name)}, *_]:
            return f"an entry stands under its name: write `{name}:` in place of `- name: {name}`"
        case [str(name), *_] if name.startswith("--"):
            return _OPTIONS
        case [str(name), *_] if "${" in name:
            return f"an entry stands under its name: write `NAME: {name}` in place of `- {name}`"
        case [str(name), *_]:
            return f"an entry stands under its name: write `{name}:` in place of `- {name}`"
        case _:
            return "an entry stands under its name: write `NAME:` in place of `-`"


def _own(detail: ErrorDetails, path: Path) -> Finding:
    context: dict[str, Any] = detail.get("ctx", {})
    path = (*path, *context.get("below", ()))
    within = (context["start"], context["end"]) if "start" in context else None
    named = (
        f"`{_name(path)}` "
        if detail["type"] in {"SP114", "SP121", "SP124", "SP125"} and path
        else ""
    )
    return Finding(
        detail["type"],
        f"{named}{context['message']}",
        path,
        help=context.get("help"),
        within=within,
    )


def _unknown_key(location: Path, model: type[BaseModel], path: Path) -> Finding:
    key = str(path[-1])
    owner = _model_at(model, location[:-1])
    known = _keys(owner) if owner else ()
    close = meant(key, known)
    advice = f"did you mean `{close}`?" if close else f"known keys: {', '.join(known)}"
    kinds = get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
    place = f"a `{kinds[0]}` step" if kinds and owner is model else _place(path[:-1])
    return Finding("SP102", f"unknown key `{key}` in {place}", path, at="key", help=advice)


def _not_a_choice(detail: ErrorDetails, path: Path) -> Finding:
    context: dict[str, Any] = detail.get("ctx", {})
    expected = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    choices = expected.split(", ")
    value = detail["input"]
    if _is_reference(value):
        return _no_reference(path)
    close = meant(value, choices) if isinstance(value, str) else None
    listed = f"one of {', '.join(choices)}" if len(choices) > 1 else f"write `{choices[0]}`"
    advice = f"did you mean `{close}`?" if close else listed
    return Finding("SP122", f"`{_name(path)}` cannot be {describe(value)}", path, help=advice)


def _place(path: Path) -> str:
    match path:
        case ():
            return "the pipeline"
        case ("steps", str(name)):
            return f"step `{name}`"
        case _:
            return f"`{_dotted(path)}`"


def _name(path: Path) -> str:
    """Name a value by its key; an entry of a list by the list's key and its index."""
    keys = [index for index, part in enumerate(path) if isinstance(part, str)]
    last = keys[-1] if keys else 0
    is_short_form = path[last - 1 : last + 1] == ("requirements", "file")  # `file` is not written
    return _dotted(path[last - is_short_form :])


def _dotted(path: Path) -> str:
    written = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(written).removeprefix(".")


def meant_keys(given: Collection[str], model: type[BaseModel]) -> frozenset[str]:
    """Return the keys of a model that unknown ones were probably meant to be."""
    return frozenset(compare_keys(given, _keys(model)).meant.values())


def _keys(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(fields_of(model))


def _description(model: type[BaseModel], location: Path) -> str:
    owner = _model_at(model, location[:-1])
    field = fields_of(owner).get(str(location[-1])) if owner else None
    described = field.description if field else None
    return f" ({described.rstrip('.')})" if described else ""


def _model_at(model: type[BaseModel], location: Path) -> type[BaseModel] | None:
    """Follow a location through nested models, lists and dicts to the model that stands there."""
    annotation: Any = model
    for part in location:
        annotation = type_below(annotation, part)
    return annotation if is_model(annotation) else None
