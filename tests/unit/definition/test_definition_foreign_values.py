from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from pipelines.definition import check_definition
from pipelines.json_types import Json, JsonObject

CASES: Final = Path(__file__).parents[2] / "golden" / "cases"
DEFINITIONS: Final = sorted(CASES.rglob("expected*.json"))
PAGE: Final = {f"member{number}": ["value"] * 9 for number in range(99)}


def _paths(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        yield (*path, key)
        if isinstance(member, dict | list):
            yield from _paths(member, (*path, key))


def _with(definition: JsonObject, path: tuple[str | int, ...], value: Json) -> JsonObject:
    changed: Any = copy.deepcopy(definition)
    place = changed
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return dict(changed)


def _shapes(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return a path without the numbers: of many like places one is enough."""
    return tuple(part for part in path if isinstance(part, str))


def _cases() -> dict[tuple[str | int, ...], tuple[Path, tuple[str | int, ...]]]:
    """Find each place in the smallest definition that has it: each case checks a whole one."""
    found: dict[tuple[str | int, ...], tuple[Path, tuple[str | int, ...]]] = {}
    for file in sorted(DEFINITIONS, key=lambda file: file.stat().st_size):
        for path in _paths(json.loads(file.read_bytes())):
            if len(path) <= 5:
                found.setdefault(_shapes(path), (file, path))
    return found


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(PAGE, id="object", marks=pytest.mark.slow),
        pytest.param([PAGE], id="list", marks=pytest.mark.everything),
        pytest.param(10**400, id="number"),
    ],
)
def test_a_message_names_a_foreign_value_and_never_prints_it(value: Json) -> None:
    """Whatever stands where a name, a Type or a number belongs, the message is one sentence."""
    cases = _cases()
    assert len(cases) > 100
    for file, path in cases.values():
        damaged = _with(json.loads(file.read_bytes()), path, value)
        for finding in check_definition(damaged):
            said = f"{finding.message} {finding.help}"
            assert "{'" not in said, (path, said[:300])
            assert "[{" not in said, (path, said[:300])
            assert "member1`" not in said or len(said) < 600, (path, said[:300])


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("Steps", 0, "Name"), PAGE, "an object is not a valid step name"),
        (("Steps", 0, "Type"), [1], "a list is not a step Type"),
        (("Steps", 0, "Type"), True, "`true` is not a step Type"),
        (("Steps", 0, "RetryPolicies"), [{"ExceptionType": [PAGE]}], "an object is not an excep"),
        (("Steps", 0, "CacheConfig"), {"Enabled": True, "ExpireAfter": PAGE}, "an object is not a"),
        (("Steps", 0, "DependsOn"), [{"Step": "b", "Trigger": [1]}], "a list is not a trigger"),
        (("Parameters", 0, "Name"), PAGE, "an object is not a valid parameter name"),
        (("Parameters", 0, "Type"), PAGE, "an object is not a parameter type"),
        (("Parameters", 0, "DefaultValue"), 10**400, "`DefaultValue` of `p` is not of type Float"),
    ],
)
def test_a_value_of_another_sort_is_named_by_its_sort(
    place: tuple[str | int, ...], value: Json, message: str
) -> None:
    """A page of somebody's JSON helps nobody; the place shows what stands there."""
    definition: JsonObject = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "p", "Type": "Float"}],
        "Steps": [{"Name": n, "Type": "Fail", "Arguments": {"ErrorMessage": "m"}} for n in "ab"],
    }
    said = [f.message for f in check_definition(_with(definition, place, value))]
    assert any(one.startswith(message) for one in said), said


def test_a_join_on_something_else_than_a_text_is_no_text() -> None:
    """It is wrong itself; what it would make of a default is not said as well."""
    joined = {"Std:Join": {"On": {"a": [1]}, "Values": ["m-", {"Get": "Parameters.p"}]}}
    definition: JsonObject = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "p", "Type": "String", "DefaultValue": "x"}],
        "Steps": [
            {"Name": "a", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": joined}}
        ],
    }
    said = [f"{f.message} {f.help}" for f in check_definition(definition)]
    assert any("`On` has to be a string" in one for one in said)
    assert not any("{'" in one for one in said)
