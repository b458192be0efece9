"""The scalar types of the spec: a literal, or text with references in its place.

Each type is one pydantic validator with one error, so that a user never reads about the members
of a union. Errors carry our code as their type; `pipelines.spec.mistakes` puts them in place.
"""

from __future__ import annotations

import json
import math
import posixpath
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.grammar import durations
from pipelines.json_types import Json, JsonObject
from pipelines.spec.expressions import Expression, parse_expression
from pipelines.spec.references import ReferenceSyntaxError, Template, parse_text

Read = TypeVar("Read")

_REFERENCE_SCHEMA: JsonObject = {"type": "string", "pattern": r"^\$\{[^}]+\}$"}


def no_entries() -> list[Any]:
    """Return an empty list, as the `default_factory` of a field.

    Not `list` itself: pydantic asks a factory for its signature, and that of a built-in is text
    that Python reads with `tokenize`, in every model that has the field.
    """
    return []


def mistake(
    code: str, message: str, help: str | None = None, *, below: str | Path = "", **within: int
) -> PydanticCustomError:
    """Build the error that `pipelines.spec.mistakes` turns into a finding.

    Args:
        code: `SPnnn`.
        message: what is wrong.
        help: what to write instead.
        below: the key of the validated mapping that is wrong, or the path to it; "" for all of it.
        within: `start` and `end` of the wrong part of a text.
    """
    path = below if isinstance(below, tuple) else (below,) if below else ()
    context = {"message": message, "help": help, "below": path, **within}
    return PydanticCustomError(code, "{message}", context)


def describe(value: object) -> str:
    """Name a value as its author sees it: "the number 3", "a list"."""
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text `{value}`" if len(value) <= 40 else "a text"
        case None:
            return "nothing"
        case _:
            known = (noun for of, noun in _NOUNS.items() if isinstance(value, of))
            return next(known, f"a value of type {type(value).__name__}")


_NOUNS = {list: "a list", dict: "a mapping", Template: "a reference"}


@frozen
class Scalar:
    """The marker that gives an annotated type its one validator and its JSON schema.

    Args:
        validate: turns the YAML value into the typed one or raises a `mistake`.
        schema: the JSON schema of the literal.
        referable: whether `${…}` may stand in its place.
    """

    validate: Callable[[object], object]
    schema: tuple[tuple[str, object], ...]
    referable: bool = True

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> JsonObject:
        literal = dict(self.schema)
        if not self.referable or literal.get("type") == "string":
            return literal
        return {"anyOf": [literal, _REFERENCE_SCHEMA]}


def _template(value: str) -> str | Template:
    if "\0" in value:
        raise mistake(
            "SP114", "contains the character U+0000, which no service accepts", "remove it"
        )
    try:
        return parse_text(value)
    except ReferenceSyntaxError as error:
        raise mistake(
            "SP201", error.problem, error.help, start=error.start, end=error.end
        ) from error


def templated_text(value: object) -> str | Template:
    """Return a text, the references in it read; anything else, or nothing, is a `mistake`."""
    return _template(_something(_text(value)))


def fixed_text(value: object) -> str:
    """Return a text without references; anything else, or nothing, is a `mistake`."""
    return _something(any_fixed_text(value))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    match value:
        case [str(one)] if one:
            advice: str | None = f"write `{one}`"
        case [str(one), *_] if one:
            advice = f"write one of them, such as `{one}`"
        case None:
            advice = _NOTHING
        case int() | float() if not isinstance(value, bool):
            advice = f'write `"{value}"`'
        case _:
            advice = None
    raise mistake("SP121", f"must be a text, got {describe(value)}", advice)


_NOTHING = "write a value, or remove the key"


def _something(text: str) -> str:
    if not text.strip():
        raise mistake("SP121", "is an empty text", "write one, or remove it")
    return text


def any_fixed_text(value: object) -> str:
    """Return a text without references, which may be empty; anything else is a `mistake`."""
    text = _template(_text(value))
    if isinstance(text, Template):
        start = text.references[0].start - 2
        raise mistake(
            "SP124",
            "is needed while compiling: it cannot hold a reference",
            "write it out; per environment it can be overlaid with `environments:`",
            start=start,
            end=text.references[0].end + 1,
        )
    return text


def _job_folder(value: object) -> str:
    folder = fixed_text(value)
    if not folder.startswith("/") or not folder.strip("/"):
        advice = f"write it from the root, such as `/opt/ml/{folder.strip('./') or 'folder'}`"
        raise mistake("SP122", f"`{folder}` is not an absolute path of a folder", advice)
    meant = normal_path(folder)
    if meant in _WHOLE or any(is_below(meant, one) for one in _OF_THE_PLATFORM):
        advice = "write another folder, such as `/opt/ml/checkpoints`"
        raise mistake("SP122", f"`{folder}` is a folder that SageMaker itself uses", advice)
    return folder


_WHOLE = ("/", "/opt", "/opt/ml", "/opt/ml/output")
_OF_THE_PLATFORM = (
    "/opt/ml/code",
    "/opt/ml/input",
    "/opt/ml/model",
    "/opt/ml/output/data",
    "/opt/ml/output/failure",
)
"""Folders of a training job that hold something else (FACTS 3.4)."""


def normal_path(path: str) -> str:
    """Return the shortest form of a path, without the two slashes that POSIX keeps at its start."""
    meant = posixpath.normpath(path)
    return meant[1:] if meant.startswith("//") else meant


def is_below(path: str, folder: str) -> bool:
    """Return whether a path is a folder's, or below it."""
    return path == folder or path.startswith(f"{folder}/")


def _job_file(value: object) -> str:
    file = fixed_text(value)
    parts = file.split("/")
    if file != file.strip() or not all(parts) or {".", ".."} & {*parts} or "\n" in file:
        advice = "name a file of that folder, such as `report.json` or `a/report.json`"
        raise mistake("SP122", f"`{file}` is not the path of a file below a folder", advice)
    return file


def _referable(value: object, wanted: str, example: str) -> Template:
    """Take a text that is exactly one reference where a `wanted` was asked for."""
    if isinstance(value, str):
        text = _template(value)
        if isinstance(text, Template):
            if text.only is not None:
                return text
            raise mistake(
                "SP121", f"must be {wanted} or exactly one reference", f"such as {example}"
            )
    raise mistake("SP121", f"must be {wanted}, got {describe(value)}", f"such as {example}")


def _integer(value: object) -> int | Template:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and (meant := _number_in(value)) is not None:
        raise mistake("SP121", f"must be a whole number, got {describe(value)}", f"write `{meant}`")
    return _referable(value, "a whole number", "`2` or `${parameters.NAME}`")


def _number_in(text: str) -> int | None:
    """Return the number of a text with a unit: the seconds of a time, the figure of a size."""
    time = durations.parse_short(text)
    if time is not None:
        return time.seconds
    found = re.fullmatch(r"(\d{1,9}) ?[A-Za-z]*", text)
    return int(found[1]) if found is not None else None


def _any_scalar(value: object) -> str | int | float | bool | Template:
    return _template(value) if isinstance(value, str) else literal_scalar(value)


def literal_scalar(value: object) -> str | int | float | bool:
    """Return a text, a finite number or a boolean as it is; anything else is a `mistake`."""
    if isinstance(value, float) and not math.isfinite(value):
        advice = "JSON has no such number; put it in quotes if it is meant as text"
        raise mistake("SP121", f"must be a finite number, got {describe(value)}", advice)
    if isinstance(value, str | bool | int | float):
        return value
    message = f"must be a text, a number or true/false, got {describe(value)}"
    raise mistake("SP121", message, _as_scalar(value))


_LONGEST_ADVICE = 60


def _as_scalar(value: object) -> str | None:
    """Return how to write what is none, as a text of JSON where that is short."""
    if value is None:
        return 'write `""` for an empty text, or remove the key'
    written = json.dumps(value, default=str)
    if len(written) > _LONGEST_ADVICE:
        return "write it as a text of JSON, in quotes"
    return f"write it as a text: '{written}'"


def fixed_scalar(value: object) -> str | int | float | bool:
    """Return a text without references, a finite number or a boolean."""
    return any_fixed_text(value) if isinstance(value, str) else literal_scalar(value)


def _members(value: object) -> JsonObject:
    """Return members of a request, the texts in them with their references read."""
    if not isinstance(value, dict):
        raise mistake("SP121", f"must be a mapping, got {describe(value)}")
    return {key: _verbatim(inner, (key,)) for key, inner in value.items()}


def _verbatim(value: object, path: Path) -> Json:
    match value:
        case dict():
            return {key: _verbatim(inner, (*path, key)) for key, inner in value.items()}
        case list():
            return [_verbatim(inner, (*path, index)) for index, inner in enumerate(value)]
        case _:
            return read_at(path, _any_scalar, value)


def read_at(path: Path, read: Callable[[object], Read], value: object) -> Read:
    """Read what stands at a path of the validated value; a `mistake` is one of that place."""
    try:
        return read(value)
    except PydanticCustomError as error:
        context: dict[str, Any] = dict(error.context or {})
        within = {key: context[key] for key in ("start", "end") if key in context}
        text, advice = context["message"], context["help"]
        raise mistake(error.type, text, advice, below=path, **within) from None


def scalar_text(value: str | float | bool) -> str:  # noqa: FBT001 - a value like the others
    """Write a literal scalar as the text that the service gets for it (FACTS 11.3)."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return float.__repr__(value)
        case _:
            return str(value)


def _duration(value: object) -> str | None:
    """`30d` → `P30D`; `false` → None (ISO 8601, as the service wants it)."""
    if value is False:
        return None
    text = value if isinstance(value, str) else ""
    found = durations.parse_short(text) or durations.parse_iso(text)
    if found is not None:
        return found.iso
    meant = durations.meant(text)
    raise mistake(
        "SP121",
        f"must be a time such as `30d`, got {describe(value)}",
        f"did you mean `{meant}`?"
        if meant
        else "units are m, h, d and w; `P30D` works as well; `false` switches it off",
    )


def _expression(value: object) -> Expression:
    if not isinstance(value, str):
        every = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
        advice = f"write `{' and '.join(value)}`" if every and isinstance(value, list) else None
        raise mistake("SP121", f"must be a condition, got {describe(value)}", advice)
    try:
        return parse_expression(value)
    except ReferenceSyntaxError as error:
        raise mistake(
            "SP202", error.problem, error.help, start=error.start, end=error.end
        ) from error


_SOME_TEXT = (("type", "string"), ("minLength", 1))

Text: TypeAlias = Annotated[str | Template, Scalar(templated_text, _SOME_TEXT)]
"""A text, references welcome anywhere in it; never an empty one."""

FixedText: TypeAlias = Annotated[str, Scalar(fixed_text, _SOME_TEXT, referable=False)]
"""A text that has to be known while compiling; never an empty one."""

AnyFixedText: TypeAlias = Annotated[
    str, Scalar(any_fixed_text, (("type", "string"),), referable=False)
]
"""A text that has to be known while compiling, which may be empty."""

FixedScalar: TypeAlias = Annotated[
    str | int | float | bool,
    Scalar(fixed_scalar, (("type", ("string", "number", "boolean")),), referable=False),
]
"""A value that is known while compiling."""

JobFolder: TypeAlias = Annotated[str, Scalar(_job_folder, (("type", "string"),), referable=False)]
"""The absolute path of a folder in a job."""

JobFile: TypeAlias = Annotated[str, Scalar(_job_file, _SOME_TEXT, referable=False)]
"""The path of a file below a folder of a job."""

Integer: TypeAlias = Annotated[int | Template, Scalar(_integer, (("type", "integer"),))]
"""A whole number or one reference."""

AnyScalar: TypeAlias = Annotated[
    str | int | float | bool | Template,
    Scalar(_any_scalar, (("type", ("string", "number", "boolean")),)),
]
"""A hyperparameter, argument or environment value; the service gets it as text."""

Duration: TypeAlias = Annotated[
    str | None, Scalar(_duration, (("type", ("string", "boolean")),), referable=False)
]
"""A time span as ISO 8601 text; None when switched off."""

Condition: TypeAlias = Annotated[Expression, Scalar(_expression, (("type", "string"),))]
"""The text of `if:`, parsed."""

RequestMembers: TypeAlias = Annotated[
    JsonObject, Scalar(_members, (("type", "object"),), referable=False)
]
"""Members of a request as SageMaker's API names them, references welcome in their texts."""
