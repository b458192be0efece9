"""Each mistake in a definition has its code, its place and its help."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.compile.definition import check_definition
from pipelines.diagnostics import Finding, Severity
from pipelines.json_types import Json, JsonObject

ROLE = "arn:aws:iam::111122223333:role/flight-delays"

PROCESSING: JsonObject = {
    "RoleArn": ROLE,
    "AppSpecification": {"ImageUri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/i:1"},
    "ProcessingResources": {
        "ClusterConfig": {
            "InstanceCount": {"Get": "Parameters.count"},
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 30,
        }
    },
    "ProcessingOutputConfig": {
        "Outputs": [
            {
                "OutputName": "report",
                "S3Output": {
                    "S3Uri": "s3://b/report",
                    "LocalPath": "/opt/ml/processing/output/report",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    },
}

AUC: JsonObject = {
    "Std:JsonGet": {
        "PropertyFile": {"Get": "Steps.evaluate.PropertyFiles.metrics"},
        "Path": "auc",
    }
}

DEFINITION: JsonObject = {
    "Version": "2020-12-01",
    "Metadata": {},
    "Parameters": [
        {"Name": "count", "Type": "Integer", "DefaultValue": 1},
        {"Name": "stage", "Type": "String", "DefaultValue": "dev", "EnumValues": ["dev", "prod"]},
    ],
    "PipelineExperimentConfig": {
        "ExperimentName": {"Get": "Execution.PipelineName"},
        "TrialName": {"Get": "Execution.PipelineExecutionId"},
    },
    "MlflowConfig": None,
    "Steps": [
        {
            "Name": "evaluate",
            "Type": "Processing",
            "Arguments": PROCESSING,
            "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
            "RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3}],
            "PropertyFiles": [
                {"PropertyFileName": "metrics", "OutputName": "report", "FilePath": "m.json"}
            ],
        },
        {
            "Name": "good-enough",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [{"Type": "GreaterThan", "LeftValue": AUC, "RightValue": 0.7}],
                "IfSteps": [
                    {
                        "Name": "notify",
                        "Type": "Lambda",
                        "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f",
                        "OutputParameters": [{"OutputName": "answer", "OutputType": "String"}],
                        "Arguments": {
                            "report": {
                                "Get": "Steps.evaluate.ProcessingOutputConfig"
                                ".Outputs['report'].S3Output.S3Uri"
                            }
                        },
                    }
                ],
                "ElseSteps": [
                    {
                        "Name": "reject",
                        "Type": "Fail",
                        "Arguments": {"ErrorMessage": {"Std:Join": {"On": " ", "Values": [AUC]}}},
                    }
                ],
            },
        },
    ],
}

STEP = ("Steps", 0)
CONDITION = ("Steps", 1, "Arguments", "Conditions", 0)
LAMBDA = ("Steps", 1, "Arguments", "IfSteps", 0)
FAIL = ("Steps", 1, "Arguments", "ElseSteps", 0)


def _changed(path: tuple[str | int, ...], value: Json) -> JsonObject:
    definition = copy.deepcopy(DEFINITION)
    holder: Any = definition
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return definition


def _without(path: tuple[str | int, ...]) -> JsonObject:
    definition = copy.deepcopy(DEFINITION)
    holder: Any = definition
    for part in path[:-1]:
        holder = holder[part]
    del holder[path[-1]]
    return definition


def _with_steps(*steps: JsonObject) -> JsonObject:
    definition = copy.deepcopy(DEFINITION)
    definition["Steps"].extend(steps)
    return definition


def _fail(name: str, message: Json = "stopped", **keys: Json) -> JsonObject:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **keys}


def _lambda(name: str, value: Json = "", **keys: Json) -> JsonObject:
    arguments = {"value": value}
    return {"Name": name, "Type": "Lambda", "FunctionArn": "f", "Arguments": arguments, **keys}


def _condition(name: str, *if_steps: JsonObject) -> JsonObject:
    conditions = [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}]
    arguments = {"Conditions": conditions, "IfSteps": list(if_steps), "ElseSteps": []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def _for_each(body: list[JsonObject], **arguments: Json) -> JsonObject:
    whole = {"IterableItems": ["a", 1], "MaxConcurrency": 2, "ForEachBody": body, **arguments}
    return {"Name": "loop", "Type": "ForEach", "Arguments": whole}


def _get(target: str) -> JsonObject:
    return {"Get": target}


def test_the_definition_of_these_tests_is_right() -> None:
    """Otherwise none of the cases below would show anything."""
    assert check_definition(DEFINITION) == []


CASES: list[tuple[str, JsonObject, tuple[str | int, ...], str | None]] = [
    ("SP501", _changed(("Stesp",), []), ("Stesp",), "did you mean `Steps`?"),
    ("SP501", _changed(("Steps",), {}), ("Steps",), None),
    ("SP501", _changed(("Metadata",), "x"), ("Metadata",), None),
    ("SP501", _changed(("MlflowConfig",), {"Arn": "x"}), ("MlflowConfig", "Arn"), "there is"),
    ("SP502", _changed(("Version",), "2021-12-01"), ("Version",), None),
    ("SP502", _without(("Version",)), (), None),
    ("SP503", _changed(("Parameters", 0, "Type"), "Int"), ("Parameters", 0, "Type"), "`Integer`"),
    (
        "SP503",
        _changed(("Parameters", 0, "DefaultValue"), "1"),
        ("Parameters", 0, "DefaultValue"),
        None,
    ),
    ("SP503", _changed(("Parameters", 0, "Nam"), "a"), ("Parameters", 0, "Nam"), "`Name`"),
    (
        "SP503",
        _changed(("Parameters", 0, "EnumValues"), ["1"]),
        ("Parameters", 0, "EnumValues"),
        None,
    ),
    (
        "SP503",
        _changed(("Parameters", 1, "DefaultValue"), "test"),
        ("Parameters", 1, "DefaultValue"),
        None,
    ),
    ("SP503", _changed(("Parameters", 1, "Name"), "count"), ("Parameters", 1, "Name"), None),
    (
        "SP503",
        _changed(("Parameters", 1, "Description"), 7),
        ("Parameters", 1, "Description"),
        None,
    ),
    (
        "SP503",
        _changed(("Parameters", 1, "Description"), "x" * 4097),
        ("Parameters", 1, "Description"),
        None,
    ),
    ("SP503", _without(("Parameters", 0, "Type")), ("Parameters", 0, "DefaultValue"), None),
    ("SP504", _changed((*STEP, "PropertyFile"), []), (*STEP, "PropertyFile"), "`PropertyFiles`"),
    ("SP504", _without((*LAMBDA, "FunctionArn")), LAMBDA, None),
    ("SP504", _changed((*STEP, "DisplayName"), "x" * 257), (*STEP, "DisplayName"), None),
    ("SP504", _changed((*FAIL, "Arguments"), []), (*FAIL, "Arguments"), None),
    ("SP505", _changed((*FAIL, "Type"), "Fial"), (*FAIL, "Type"), "did you mean `Fail`?"),
    ("SP506", _changed((*FAIL, "Name"), "a b"), (*FAIL, "Name"), None),
    ("SP506", _changed((*FAIL, "Name"), "evaluate"), (*FAIL, "Name"), "branches"),
    ("SP507", _with_steps(*(_fail(f"f{n}") for n in range(47))), ("Steps",), "split"),
    (
        "SP507",
        _changed(("Parameters",), [{"Name": "count", "Type": "Integer"}] * 201),
        ("Parameters",),
        None,
    ),
    ("SP508", _changed((*STEP, "CacheConfig"), {"Enabled": True}), (*STEP, "CacheConfig"), "P30D"),
    (
        "SP508",
        _changed((*STEP, "CacheConfig", "ExpireAfter"), "30 days"),
        (*STEP, "CacheConfig", "ExpireAfter"),
        "P30D",
    ),
    (
        "SP508",
        _changed((*STEP, "CacheConfig", "Enabled"), "true"),
        (*STEP, "CacheConfig", "Enabled"),
        None,
    ),
    (
        "SP508",
        _changed((*FAIL, "CacheConfig"), {"Enabled": False}),
        (*FAIL, "CacheConfig"),
        None,
    ),
    (
        "SP509",
        _changed((*STEP, "RetryPolicies", 0, "MaxAttempts"), 21),
        (*STEP, "RetryPolicies", 0, "MaxAttempts"),
        None,
    ),
    (
        "SP509",
        _changed((*STEP, "RetryPolicies", 0, "ExceptionType"), ["Step.THROTLING"]),
        (*STEP, "RetryPolicies", 0, "ExceptionType"),
        "did you mean `Step.THROTTLING`?",
    ),
    (
        "SP509",
        _changed((*STEP, "RetryPolicies", 0, "ExpireAfterMin"), 5),
        (*STEP, "RetryPolicies", 0),
        None,
    ),
    ("SP509", _changed((*LAMBDA, "RetryPolicies"), []), (*LAMBDA, "RetryPolicies"), None),
    (
        "SP510",
        _changed((*LAMBDA, "DependsOn"), [{"Step": "evaluate", "Trigger": "Fail"}]),
        (*LAMBDA, "DependsOn", 0, "Trigger"),
        "did you mean `Failed`?",
    ),
    ("SP510", _changed((*LAMBDA, "DependsOn"), "evaluate"), (*LAMBDA, "DependsOn"), None),
    (
        "SP510",
        _with_steps(_fail("end"), _lambda("after", DependsOn=["end"])),
        ("Steps", 3, "DependsOn", 0),
        None,
    ),
    (
        "SP511",
        _changed((*STEP, "PropertyFiles", 0, "OutputName"), "reprot"),
        (*STEP, "PropertyFiles", 0, "OutputName"),
        "did you mean `report`?",
    ),
    (
        "SP512",
        _changed((*CONDITION, "Type"), "Greaterthan"),
        (*CONDITION, "Type"),
        "did you mean `GreaterThan`?",
    ),
    ("SP512", _without((*CONDITION, "RightValue")), CONDITION, None),
    ("SP512", _changed((*CONDITION, "RightValue"), None), (*CONDITION, "RightValue"), None),
    ("SP512", _changed((*CONDITION, "Right"), 1), (*CONDITION, "Right"), "RightValue"),
    (
        "SP512",
        _changed(CONDITION, {"Type": "Not", "Expression": {}}),
        (*CONDITION, "Expression"),
        "`Condition`",
    ),
    (
        "SP512",
        _changed(CONDITION, {"Type": "Or", "Conditions": []}),
        (*CONDITION, "Conditions"),
        None,
    ),
    (
        "SP514",
        _changed((*CONDITION, "LeftValue"), {"Std:Jion": {}}),
        (*CONDITION, "LeftValue", "Std:Jion"),
        "did you mean `Std:Join`?",
    ),
    (
        "SP514",
        _changed((*CONDITION, "LeftValue", "Std:JsonGet", "Path"), 1),
        (*CONDITION, "LeftValue", "Std:JsonGet", "Path"),
        None,
    ),
    (
        "SP514",
        _changed((*CONDITION, "LeftValue", "Std:JsonGet", "S3Uri"), "s3://b/k"),
        (*CONDITION, "LeftValue", "Std:JsonGet"),
        None,
    ),
    (
        "SP514",
        _changed((*CONDITION, "LeftValue"), {"Get": "Parameters.count", "Or": 1}),
        (*CONDITION, "LeftValue"),
        None,
    ),
    (
        "SP514",
        _changed((*CONDITION, "LeftValue"), _get("Parameter.count")),
        (*CONDITION, "LeftValue", "Get"),
        "did you mean `Parameters`?",
    ),
    (
        "SP514",
        _changed((*CONDITION, "LeftValue"), {"Std:Join": {"On": "", "Values": [[1]]}}),
        (*CONDITION, "LeftValue", "Std:Join", "Values", 0),
        None,
    ),
    (
        "SP515",
        _changed((*CONDITION, "LeftValue"), _get("Parameters.cuont")),
        (*CONDITION, "LeftValue", "Get"),
        "did you mean `count`?",
    ),
    (
        "SP516",
        _changed((*CONDITION, "LeftValue"), _get("Steps.evaluat.ProcessingJobName")),
        (*CONDITION, "LeftValue", "Get"),
        "did you mean `evaluate`?",
    ),
    (
        "SP516",
        _changed((*LAMBDA, "DependsOn"), ["evaluat"]),
        (*LAMBDA, "DependsOn", 0),
        "did you mean `evaluate`?",
    ),
    (
        "SP517",
        _changed((*CONDITION, "LeftValue"), _get("Steps.evaluate.ProcessingJobNam")),
        (*CONDITION, "LeftValue", "Get"),
        "did you mean `ProcessingJobName`?",
    ),
    (
        "SP517",
        _changed(
            (*CONDITION, "LeftValue"),
            _get("Steps.evaluate.ProcessingOutputConfig.Outputs['reprot'].S3Output.S3Uri"),
        ),
        (*CONDITION, "LeftValue", "Get"),
        "did you mean `report`?",
    ),
    (
        "SP517",
        _with_steps(_lambda("a"), _lambda("b", _get("Steps.a.OutputParameters['x']"))),
        ("Steps", 3, "Arguments", "value", "Get"),
        None,
    ),
    (
        "SP517",
        _changed((*CONDITION, "LeftValue"), _get("Steps.evaluate")),
        (*CONDITION, "LeftValue", "Get"),
        None,
    ),
    (
        "SP518",
        _changed(("PipelineExperimentConfig", "TrialName"), _get("Execution.PipelineExecutionID")),
        ("PipelineExperimentConfig", "TrialName", "Get"),
        "did you mean `PipelineExecutionId`?",
    ),
    (
        "SP519",
        _changed((*LAMBDA, "Arguments", "report"), _get("Steps.evaluate.PropertyFiles.metrics")),
        (*LAMBDA, "Arguments", "report", "Get"),
        None,
    ),
    (
        "SP519",
        _changed(
            (*CONDITION, "LeftValue", "Std:JsonGet", "PropertyFile"),
            _get("Steps.evaluate.PropertyFiles.metric"),
        ),
        (*CONDITION, "LeftValue", "Std:JsonGet", "PropertyFile", "Get"),
        "did you mean `metrics`?",
    ),
    (
        "SP520",
        _changed(
            (*FAIL, "Arguments", "ErrorMessage"), _get("Steps.notify.OutputParameters['answer']")
        ),
        (*FAIL, "Arguments", "ErrorMessage", "Get"),
        "move",
    ),
    (
        "SP521",
        _with_steps(_lambda("a", DependsOn=["b"]), _lambda("b", DependsOn=["a"])),
        ("Steps", 3, "DependsOn", 0),
        None,
    ),
    ("SP521", _with_steps(_lambda("a", DependsOn=["a"])), ("Steps", 2, "DependsOn", 0), None),
    (
        "SP522",
        _with_steps(_for_each([_fail("end")])),
        ("Steps", 2, "Arguments", "ForEachBody", 0, "Type"),
        None,
    ),
    (
        "SP522",
        _with_steps(_lambda("a", _get("ForEach.CurrentItem"))),
        ("Steps", 2, "Arguments", "value", "Get"),
        None,
    ),
    (
        "SP522",
        _with_steps(_for_each([_lambda("a")], IterableItems=[])),
        ("Steps", 2, "Arguments", "IterableItems"),
        None,
    ),
    (
        "SP522",
        _with_steps(
            _for_each(
                [_lambda("a")], Selector={"Pick": "MaxBy", "Field": _get("IterationOutput.b.x")}
            )
        ),
        ("Steps", 2, "Arguments", "Selector", "Field"),
        None,
    ),
    (
        "SP410",
        _changed((*STEP, "Arguments", "RoleAnr"), ROLE),
        (*STEP, "Arguments", "RoleAnr"),
        "did you mean `RoleArn`?",
    ),
    (
        "SP413",
        _changed((*LAMBDA, "OutputParameters", 0, "OutputType"), "Text"),
        (*LAMBDA, "OutputParameters", 0, "OutputType"),
        None,
    ),
    (
        "SP415",
        _with_steps(_for_each([_lambda("a")], MaxConcurrency=51)),
        ("Steps", 2, "Arguments", "MaxConcurrency"),
        None,
    ),
]


@pytest.mark.parametrize(
    ("code", "definition", "path", "help_text"),
    CASES,
    ids=[f"{case[0]}-{'.'.join(map(str, case[2]))[-40:]}" for case in CASES],
)
def test_a_mistake_has_its_code_its_place_and_its_help(
    code: str, definition: JsonObject, path: tuple[str | int, ...], help_text: str | None
) -> None:
    """The path leads to the exact place in the JSON; a near word is offered."""
    found = [f for f in check_definition(definition) if (f.code, f.path) == (code, path)]
    assert found, [(f.code, f.path, f.message) for f in check_definition(definition)]
    assert found[0].severity is Severity.ERROR
    if help_text is not None:
        assert help_text in (found[0].help or "")


def _warnings(definition: JsonObject) -> list[Finding]:
    found = check_definition(definition)
    assert all(finding.severity is Severity.WARNING for finding in found), found
    return found


def test_a_nested_condition_is_a_warning() -> None:
    """The guide says no, the SDK writes it: nobody here knows what the service does."""
    found = _warnings(_with_steps(_condition("outer", _condition("inner", _fail("end")))))
    assert [(f.code, f.path[-1]) for f in found] == [("SP513", "Type")]


def test_a_type_without_documented_arguments_is_a_warning() -> None:
    """PipelineExecutionStepMetadata knows Athena; no source says its arguments."""
    step = {"Name": "q", "Type": "Athena", "Arguments": {"Query": 1}}
    reader = _lambda("a", _get("Steps.q.Anything[0]"))
    assert [f.code for f in _warnings(_with_steps(step, reader))] == ["SP523"]


def test_a_parameter_without_a_type_is_a_string_with_a_warning() -> None:
    """The service's published schema requires the `Type` of all others; real ones leave it away."""
    definition = _changed(("Parameters", 1), {"Name": "stage", "Description": "where it runs"})
    definition["Steps"].append(_lambda("a", _get("Parameters.stage")))
    definition["Steps"][0]["Arguments"]["Environment"] = {"STAGE": _get("Parameters.stage")}
    assert [(f.code, f.path) for f in _warnings(definition)] == [("SP503", ("Parameters", 1))]


def test_needing_a_step_of_a_branch_from_outside_is_a_warning() -> None:
    """The service takes it; the step runs when the branch is taken."""
    reader = _lambda("a", _get("Steps.notify.OutputParameters['answer']"))
    assert [f.code for f in _warnings(_with_steps(reader))] == ["SP520"]


@pytest.mark.parametrize("expiry", ["30d", "P30d", "T12H", "p7D"])
def test_a_loose_duration_is_a_warning(expiry: str) -> None:
    """13 of the 35 real definitions write `30d` or `P30d`, as AWS's examples do."""
    path = (*STEP, "CacheConfig", "ExpireAfter")
    assert [(f.code, f.path) for f in _warnings(_changed(path, expiry))] == [("SP508", path)]


@pytest.mark.parametrize("expiry", ["P30D", "PT12H", "P1Y2M10DT2H30M", "P2W", "PT90S"])
def test_a_duration_of_iso_8601_is_right(expiry: str) -> None:
    """Developer guide, caching."""
    assert check_definition(_changed((*STEP, "CacheConfig", "ExpireAfter"), expiry)) == []


def test_the_chain_of_a_cycle_is_named() -> None:
    """Data, dependencies and branches together make the order."""
    steps = (
        _lambda("a", _get("Steps.b.OutputParameters['x']")),
        _lambda(
            "b", DependsOn=["c"], OutputParameters=[{"OutputName": "x", "OutputType": "String"}]
        ),
        _lambda("c", DependsOn=["a"]),
    )
    (finding,) = check_definition(_with_steps(*steps))
    assert (finding.code, finding.message) == (
        "SP521",
        "the steps wait for each other: a → b → c → a",
    )


def test_a_condition_that_reads_its_own_branch_is_a_cycle() -> None:
    """The branch waits for the condition, the condition for the branch."""
    path = (*CONDITION, "LeftValue")
    definition = _changed(path, _get("Steps.notify.OutputParameters['answer']"))
    assert "SP521" in {finding.code for finding in check_definition(definition)}


def test_all_mistakes_are_found_at_once() -> None:
    """Nobody wants to mend one and be told the next."""
    definition = _changed((*STEP, "Arguments", "RoleAnr"), ROLE)
    definition["Version"] = "1"
    definition["Parameters"][0]["Type"] = "Int"
    definition["Steps"].append(_lambda("x", _get("Execution.Nothing")))
    codes = {finding.code for finding in check_definition(definition)}
    assert {"SP410", "SP502", "SP503", "SP518"} <= codes


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=9,
)


@given(value=_JSON, place=st.integers(min_value=0))
def test_any_value_in_any_place_is_findings_and_never_an_exception(value: Json, place: int) -> None:
    """Foreign definitions may hold anything."""
    paths: list[tuple[str | int, ...]] = []

    def gather(inner: Json, path: tuple[str | int, ...]) -> None:
        if path:
            paths.append(path)
        if isinstance(inner, dict):
            for key, member in inner.items():
                gather(member, (*path, key))
        elif isinstance(inner, list):
            for index, item in enumerate(inner):
                gather(item, (*path, index))

    gather(DEFINITION, ())
    findings = check_definition(_changed(paths[place % len(paths)], value))
    assert all(finding.message for finding in findings)


@pytest.mark.parametrize("value", [None, [], "text", 1, {}, {"Steps": [1, None, []]}])
def test_what_is_no_definition_is_findings(value: Json) -> None:
    """A file of JSON that is something else."""
    assert check_definition(value)


def test_deep_nesting_is_findings() -> None:
    """Neither functions nor conditions nor branches may exhaust the stack."""
    join: Json = "x"
    condition: Json = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    for _ in range(300):
        join = {"Std:Join": {"On": "", "Values": [join]}}
        condition = {"Type": "Not", "Condition": condition}
    definition = _changed((*FAIL, "Arguments", "ErrorMessage"), join)
    definition["Steps"][1]["Arguments"]["Conditions"] = [condition]
    assert {"SP512", "SP514"} <= {finding.code for finding in check_definition(definition)}
    assert json.dumps(definition)
