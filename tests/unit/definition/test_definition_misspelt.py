"""A misspelt key is one error, at the key, with what it was meant to be."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pipelines.definition import check_definition
from pipelines.json_types import JsonObject
from tests.unit.definition.samples import (
    CONDITION,
    DEFINITION,
    FAIL,
    LAMBDA,
    STEP,
    for_each_step,
    get,
    lambda_step,
    with_steps,
)

BASE = with_steps(
    for_each_step(
        [lambda_step("a")], Selector={"Pick": "MaxBy", "Field": get("IterationOutput.a.x")}
    ),
    lambda_step("end", DependsOn=[{"Step": "evaluate", "Trigger": "Failed"}]),
)
ARGUMENTS = (*STEP, "Arguments")
JSON_GET = (*CONDITION, "LeftValue", "Std:JsonGet")
JOIN = (*FAIL, "Arguments", "ErrorMessage", "Std:Join")

REQUIRED = [
    ("Version",),
    ("Steps",),
    ("Parameters", 0, "Name"),
    ("Parameters", 0, "Type"),
    (*STEP, "Name"),
    (*STEP, "Type"),
    (*STEP, "Arguments"),
    (*LAMBDA, "FunctionArn"),
    (*STEP, "CacheConfig", "Enabled"),
    (*STEP, "CacheConfig", "ExpireAfter"),
    (*STEP, "RetryPolicies", 0, "ExceptionType"),
    (*STEP, "PropertyFiles", 0, "OutputName"),
    (*ARGUMENTS, "RoleArn"),
    (*ARGUMENTS, "ProcessingResources"),
    (*ARGUMENTS, "ProcessingResources", "ClusterConfig", "InstanceType"),
    (*ARGUMENTS, "ProcessingOutputConfig", "Outputs", 0, "S3Output"),
    ("Steps", 1, "Arguments", "Conditions"),
    (*CONDITION, "Type"),
    (*CONDITION, "LeftValue"),
    (*CONDITION, "RightValue"),
    (*JSON_GET, "PropertyFile"),
    (*JSON_GET, "Path"),
    (*JOIN, "On"),
    (*JOIN, "Values"),
    (*LAMBDA, "OutputParameters", 0, "OutputType"),
    ("Steps", 2, "Arguments", "IterableItems"),
    ("Steps", 2, "Arguments", "Selector", "Field"),
    ("Steps", 3, "DependsOn", 0, "Step"),
]


def _misspelt(path: tuple[str | int, ...]) -> tuple[JsonObject, str]:
    """Copy the right definition with two letters of a key swapped."""
    definition = copy.deepcopy(BASE)
    holder: Any = definition
    for part in path[:-1]:
        holder = holder[part]
    key = str(path[-1])
    wrong = f"{key[0]}{key[2]}{key[1]}{key[3:]}" if len(key) > 2 else f"{key}n"
    members = {wrong if name == key else name: value for name, value in holder.items()}
    holder.clear()
    holder.update(members)
    return definition, wrong


def test_the_definition_of_these_tests_is_right() -> None:
    """Otherwise none of the cases below would show anything."""
    assert check_definition(BASE) == check_definition(DEFINITION) == []


@pytest.mark.parametrize("path", REQUIRED, ids=lambda path: ".".join(map(str, path)))
def test_a_misspelt_required_key_is_one_error_at_the_key(path: tuple[str | int, ...]) -> None:
    """Neither is the key called missing, nor is what it holds looked for elsewhere."""
    definition, wrong = _misspelt(path)
    found = check_definition(definition)
    at_key = [one for one in found if one.path == (*path[:-1], wrong)]
    assert [(one.at, one.help) for one in at_key] == [("key", f"did you mean `{path[-1]}`?")]
    above = [one for one in found if one.path == path[:-1]]
    assert above == []
    assert not any("missing" in one.message for one in found)
