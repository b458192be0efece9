"""The service's check that a reference fits the member it stands in (FACTS 11.3)."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.backends.local.engine.functions import ResolutionError
from pipelines.grammar.functions import is_function
from pipelines.grammar.paths import show_path
from pipelines.grammar.references import got
from pipelines.json_types import Json, JsonObject

_TYPES = frozenset({"Processing", "Training"})
_STRINGS: tuple[tuple[str, ...], ...] = (
    ("HyperParameters",),
    ("Environment",),
    ("AppSpecification", "ContainerArguments"),
    ("AlgorithmSpecification", "ContainerArguments"),
)


def refuse_untyped_references(step: JsonObject, arguments: JsonObject) -> None:
    """Refuse values that are no strings in the members of a job that take only strings.

    Args:
        step: the step as it stands in the definition.
        arguments: its arguments, resolved.

    Raises:
        ResolutionError: with the service's sentence where the value came from a reference.
    """
    if step["Type"] not in _TYPES:
        return
    for path in _STRINGS:
        written = _below(step.get("Arguments", {}), path)
        for key, value in _items(_below(arguments, path)):
            if isinstance(value, str):
                continue
            stated = _at(written, key)
            reference = got(stated)
            if reference is None:
                raise _no_string(show_path((*path, key)), stated)
            raise ResolutionError(
                f"Cannot assign property reference [{reference}] to argument of type [String]",
                'join it: {"Std:Join": {"On": "", "Values": [{"Get": "' + reference + '"}]}}',
            )


def _no_string(place: str, stated: Json) -> ResolutionError:
    if not is_function(stated):
        return ResolutionError(f"`{place}` must be a string")
    return ResolutionError(
        f"`{place}` must be a string, which its function does not give",
        'join it: {"Std:Join": {"On": "", "Values": [<the function>]}}',
    )


def _below(value: Json, path: tuple[str, ...]) -> Json:
    for member in path:
        value = value.get(member) if isinstance(value, dict) else None
    return value


def _items(value: Json) -> Iterator[tuple[str | int, Json]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _at(value: Json, key: str | int) -> Json:
    if isinstance(value, list) and isinstance(key, int):
        return value[key]
    return value.get(key) if isinstance(value, dict) else None
