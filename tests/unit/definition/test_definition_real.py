"""Real definitions are accepted, and damaged ones are not."""

from __future__ import annotations

import copy
import json
import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.definition import check_definition
from pipelines.diagnostics import Finding, Severity
from pipelines.grammar.functions import is_function
from pipelines.json_types import Json, JsonObject

FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "definitions"
REAL = sorted(path for path in FOLDER.glob("*.json") if not path.name.startswith("negative__"))
NEGATIVE = sorted(FOLDER.glob("negative__*.json"))

# Maps whose keys the user chooses: a letter more or less makes another key, not a wrong one.
FREE_FORM = frozenset({
    "HyperParameters", "StaticHyperParameters", "Environment", "Metadata", "Properties",
    "CustomerMetadataProperties", "configurationOverrides", "properties", "tags",
})  # fmt: skip

needs_definitions = pytest.mark.skipif(
    not REAL, reason="the real definitions lie in ../shared/definitions, which is not here"
)


def _errors(definition: Json) -> list[Finding]:
    found = check_definition(definition)
    return [finding for finding in found if finding.severity is Severity.ERROR]


def _load(path: Path) -> JsonObject:
    definition: JsonObject = json.loads(path.read_text(encoding="utf-8"))
    return definition


@needs_definitions
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem[-60:])
def test_a_real_definition_has_no_error(path: Path) -> None:
    """The service took them all."""
    assert _errors(_load(path)) == []


@needs_definitions
@pytest.mark.parametrize("path", NEGATIVE, ids=lambda path: path.stem[-60:])
def test_a_definition_outside_the_grammar_is_rejected_for_that(path: Path) -> None:
    """Its condition type is a class name of the SDK, and its JsonGet names step and file apart."""
    condition = ("Steps", 3, "Arguments", "Conditions", 0)
    found = {(finding.code, finding.path) for finding in _errors(_load(path))}
    json_get = (*condition, "LeftValue", "Std:JsonGet")
    assert found == {
        ("SP512", (*condition, "Type")),
        ("SP514", (*json_get, "Step")),
        ("SP514", (*json_get, "PropertyFile")),
    }


def _places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value, except below maps whose keys are the user's."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, member in value.items():
            if key not in FREE_FORM and not _is_lambda_input(value, key):
                yield from _places(member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*path, index))


def _some_places(definition: JsonObject, chance: random.Random) -> list[tuple[str | int, ...]]:
    """Return a tenth of all places, to be quick."""
    places = list(_places(definition))
    return chance.sample(places, len(places) // 10 + 1)


def _is_lambda_input(value: JsonObject, key: str) -> bool:
    return key == "Arguments" and value.get("Type") in ("Lambda", "Callback")


def _parent(definition: Json, path: tuple[str | int, ...]) -> Json:
    for part in path[:-1]:
        definition = definition[part]
    return definition


def _mistype(word: str, chance: random.Random) -> str:
    """Return a key with one letter wrong: gone, doubled, changed, or swapped with the next."""
    place = chance.randrange(len(word))
    letter = chance.choice(string.ascii_letters.replace(word[place], ""))
    forms = [
        word[:place] + word[place + 1 :],
        word[:place] + word[place] + word[place:],
        word[:place] + letter + word[place + 1 :],
        word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :],
    ]
    return chance.choice([form for form in forms if form not in ("", word)])


def _typing_errors(definition: JsonObject, chance: random.Random) -> Iterator[JsonObject]:
    for path in _some_places(definition, chance):
        if isinstance(path[-1], str):
            damaged = copy.deepcopy(definition)
            holder = _parent(damaged, path)
            key = path[-1]
            renamed = _mistype(key, chance)
            if renamed not in holder:
                items = {renamed if name == key else name: held for name, held in holder.items()}
                holder.clear()
                holder.update(items)
                yield damaged


def _wrong_type(value: Json, chance: random.Random) -> Json:
    """Return a value of another JSON type, no number for a text or the other way around."""
    others: list[Json] = [["wrong"], {"wrong": 1}]
    if isinstance(value, dict | list):
        others = ["wrong", 7, True, [] if isinstance(value, dict) else {"wrong": 1}]
    elif isinstance(value, bool | int | float):
        others.append("wrong")
    return chance.choice(others)


def _wrong_types(definition: JsonObject, chance: random.Random) -> Iterator[JsonObject]:
    for path in _some_places(definition, chance):
        value = _parent(definition, path)[path[-1]]
        if value is None or is_function(value):
            continue
        damaged = copy.deepcopy(definition)
        _parent(damaged, path)[path[-1]] = _wrong_type(value, chance)
        yield damaged


def _caught(damage: Callable[[JsonObject, random.Random], Iterator[JsonObject]]) -> float:
    """Return the share of damaged definitions that are rejected."""
    chance = random.Random(20261122)  # noqa: S311  # a seed that stays, no secret
    seen = caught = 0
    for path in REAL:
        for damaged in damage(_load(path), chance):
            seen += 1
            caught += bool(_errors(damaged))
    assert seen > 500
    return caught / seen


@needs_definitions
@pytest.mark.slow
def test_one_wrong_letter_in_a_key_is_nearly_always_found() -> None:
    """Outside maps whose keys are free, at least 90 of 100."""
    assert _caught(_typing_errors) >= 0.9


@needs_definitions
@pytest.mark.slow
def test_a_value_of_the_wrong_type_is_always_found() -> None:
    """Outside free maps, at least 99 of 100."""
    assert _caught(_wrong_types) >= 0.99
