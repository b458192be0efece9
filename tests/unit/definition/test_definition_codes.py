"""Each mistake in a definition has its code, its place and its help."""

from __future__ import annotations

import pytest

from pipelines.definition import check_definition
from pipelines.diagnostics import Severity
from pipelines.json_types import JsonObject
from pipelines.steptypes.steptype import JOB_FAULTS
from tests.unit.definition.samples import (
    CONDITION,
    DEFINITION,
    FAIL,
    LAMBDA,
    ROLE,
    STEP,
    changed,
    fail_step,
    get,
    lambda_step,
    with_steps,
    without,
)


def _registration(metadata: JsonObject) -> JsonObject:
    arguments = {"ModelPackageGroupName": "g", "CustomerMetadataProperties": metadata}
    return {"Name": "register", "Type": "RegisterModel", "Arguments": arguments}


ENDPOINT: JsonObject = {
    "EndpointName": "e",
    "EndpointConfigName": "c",
    "DeploymentConfig": {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {}}},
}


def test_the_definition_of_these_tests_is_right() -> None:
    """Otherwise none of the cases below would show anything."""
    assert check_definition(DEFINITION) == []


CASES: list[tuple[str, JsonObject, tuple[str | int, ...], str | None]] = [
    ("SP501", changed(("Stesp",), []), ("Stesp",), "did you mean `Steps`?"),
    ("SP501", changed(("Steps",), {}), ("Steps",), None),
    ("SP501", changed(("Metadata",), "x"), ("Metadata",), None),
    (
        "SP501",
        changed(("MlflowConfig",), {"Arn": "x"}),
        ("MlflowConfig", "Arn"),
        "write `MlflowResourceArn`",
    ),
    ("SP502", changed(("Version",), "2021-12-01"), ("Version",), None),
    ("SP502", without(("Version",)), (), None),
    ("SP503", changed(("Parameters", 0, "Type"), "Int"), ("Parameters", 0, "Type"), "`Integer`"),
    (
        "SP503",
        changed(("Parameters", 0, "DefaultValue"), "1"),
        ("Parameters", 0, "DefaultValue"),
        None,
    ),
    ("SP503", changed(("Parameters", 0, "Nam"), "a"), ("Parameters", 0, "Nam"), "`Name`"),
    (
        "SP503",
        changed(("Parameters", 0, "EnumValues"), ["1"]),
        ("Parameters", 0, "EnumValues"),
        None,
    ),
    (
        "SP503",
        changed(("Parameters", 1, "DefaultValue"), "test"),
        ("Parameters", 1, "DefaultValue"),
        None,
    ),
    ("SP503", changed(("Parameters", 1, "Name"), "count"), ("Parameters", 1, "Name"), None),
    (
        "SP503",
        changed(("Parameters", 1, "Description"), 7),
        ("Parameters", 1, "Description"),
        None,
    ),
    (
        "SP503",
        changed(("Parameters", 1, "Description"), "x" * 4097),
        ("Parameters", 1, "Description"),
        None,
    ),
    ("SP503", without(("Parameters", 0, "Type")), ("Parameters", 0, "DefaultValue"), None),
    ("SP504", changed((*STEP, "PropertyFile"), []), (*STEP, "PropertyFile"), "`PropertyFiles`"),
    ("SP504", without((*LAMBDA, "FunctionArn")), LAMBDA, None),
    ("SP504", changed((*STEP, "DisplayName"), "x" * 257), (*STEP, "DisplayName"), None),
    ("SP504", changed((*FAIL, "Arguments"), []), (*FAIL, "Arguments"), None),
    ("SP505", changed((*FAIL, "Type"), "Fial"), (*FAIL, "Type"), "did you mean `Fail`?"),
    ("SP506", changed((*FAIL, "Name"), "a b"), (*FAIL, "Name"), None),
    ("SP506", changed((*FAIL, "Name"), "evaluate"), (*FAIL, "Name"), "branches"),
    ("SP507", with_steps(*(fail_step(f"f{n}") for n in range(47))), ("Steps",), "split"),
    (
        "SP507",
        changed(("Parameters",), [{"Name": "count", "Type": "Integer"}] * 201),
        ("Parameters",),
        None,
    ),
    (
        "SP508",
        changed((*STEP, "CacheConfig", "ExpireAfter"), "30 days"),
        (*STEP, "CacheConfig", "ExpireAfter"),
        "P30D",
    ),
    (
        "SP508",
        changed((*STEP, "CacheConfig", "Enabled"), "true"),
        (*STEP, "CacheConfig", "Enabled"),
        None,
    ),
    (
        "SP508",
        changed((*FAIL, "CacheConfig"), {"Enabled": False}),
        (*FAIL, "CacheConfig"),
        None,
    ),
    (
        "SP525",
        with_steps({"Name": "e", "Type": "Endpoint", "Arguments": ENDPOINT}),
        ("Steps", 2, "Arguments", "DeploymentConfig"),
        None,
    ),
    (
        "SP509",
        changed((*STEP, "RetryPolicies", 0, "MaxAttempts"), 21),
        (*STEP, "RetryPolicies", 0, "MaxAttempts"),
        None,
    ),
    (
        "SP509",
        changed((*STEP, "RetryPolicies", 0, "ExceptionType"), ["Step.THROTLING"]),
        (*STEP, "RetryPolicies", 0, "ExceptionType"),
        "did you mean `Step.THROTTLING`?",
    ),
    (
        "SP509",
        changed((*STEP, "RetryPolicies", 0, "ExpireAfterMin"), 5),
        (*STEP, "RetryPolicies", 0),
        None,
    ),
    (
        "SP509",
        changed((*STEP, "RetryPolicies", 0, "ExceptionType"), ["Emr.RESOURCE_LIMIT"]),
        (*STEP, "RetryPolicies", 0, "ExceptionType"),
        f"it takes {', '.join(JOB_FAULTS)}",
    ),
    ("SP509", changed((*LAMBDA, "RetryPolicies"), []), (*LAMBDA, "RetryPolicies"), None),
    (
        "SP510",
        changed((*LAMBDA, "DependsOn"), [{"Step": "evaluate", "Trigger": "Fail"}]),
        (*LAMBDA, "DependsOn", 0, "Trigger"),
        "did you mean `Failed`?",
    ),
    ("SP510", changed((*LAMBDA, "DependsOn"), "evaluate"), (*LAMBDA, "DependsOn"), None),
    (
        "SP510",
        with_steps(fail_step("end"), lambda_step("after", DependsOn=["end"])),
        ("Steps", 3, "DependsOn", 0),
        None,
    ),
    (
        "SP511",
        changed((*STEP, "PropertyFiles", 0, "OutputName"), "reprot"),
        (*STEP, "PropertyFiles", 0, "OutputName"),
        "did you mean `report`?",
    ),
    (
        "SP512",
        changed((*CONDITION, "Type"), "Greaterthan"),
        (*CONDITION, "Type"),
        "did you mean `GreaterThan`?",
    ),
    ("SP512", without((*CONDITION, "RightValue")), CONDITION, None),
    ("SP512", changed((*CONDITION, "RightValue"), None), (*CONDITION, "RightValue"), None),
    ("SP512", changed((*CONDITION, "Right"), 1), (*CONDITION, "Right"), "RightValue"),
    (
        "SP512",
        changed(CONDITION, {"Type": "Not", "Expression": {}}),
        (*CONDITION, "Expression"),
        "`Condition`",
    ),
    (
        "SP512",
        changed(CONDITION, {"Type": "Or", "Conditions": []}),
        (*CONDITION, "Conditions"),
        None,
    ),
    (
        "SP514",
        changed((*CONDITION, "LeftValue"), {"Std:Jion": {}}),
        (*CONDITION, "LeftValue", "Std:Jion"),
        "did you mean `Std:Join`?",
    ),
    (
        "SP514",
        changed((*CONDITION, "LeftValue", "Std:JsonGet", "Path"), 1),
        (*CONDITION, "LeftValue", "Std:JsonGet", "Path"),
        None,
    ),
    (
        "SP514",
        changed((*CONDITION, "LeftValue", "Std:JsonGet", "S3Uri"), "s3://b/k"),
        (*CONDITION, "LeftValue", "Std:JsonGet"),
        None,
    ),
    (
        "SP514",
        changed((*CONDITION, "LeftValue"), {"Get": "Parameters.count", "Or": 1}),
        (*CONDITION, "LeftValue"),
        None,
    ),
    (
        "SP514",
        changed((*CONDITION, "LeftValue"), get("Parameter.count")),
        (*CONDITION, "LeftValue", "Get"),
        "did you mean `Parameters`?",
    ),
    (
        "SP514",
        changed((*CONDITION, "LeftValue"), {"Std:Join": {"On": "", "Values": [[1]]}}),
        (*CONDITION, "LeftValue", "Std:Join", "Values", 0),
        None,
    ),
    (
        "SP515",
        changed((*CONDITION, "LeftValue"), get("Parameters.cuont")),
        (*CONDITION, "LeftValue", "Get"),
        "did you mean `count`?",
    ),
    (
        "SP516",
        changed((*CONDITION, "LeftValue"), get("Steps.evaluat.ProcessingJobName")),
        (*CONDITION, "LeftValue", "Get"),
        "did you mean `evaluate`?",
    ),
    (
        "SP516",
        changed((*LAMBDA, "DependsOn"), ["evaluat"]),
        (*LAMBDA, "DependsOn", 0),
        "did you mean `evaluate`?",
    ),
    (
        "SP517",
        changed((*CONDITION, "LeftValue"), get("Steps.evaluate.ProcessingJobNam")),
        (*CONDITION, "LeftValue", "Get"),
        "did you mean `ProcessingJobName`?",
    ),
    (
        "SP517",
        changed(
            (*CONDITION, "LeftValue"),
            get("Steps.evaluate.ProcessingOutputConfig.Outputs['reprot'].S3Output.S3Uri"),
        ),
        (*CONDITION, "LeftValue", "Get"),
        "did you mean `report`?",
    ),
    (
        "SP517",
        with_steps(lambda_step("a"), lambda_step("b", get("Steps.a.OutputParameters['x']"))),
        ("Steps", 3, "Arguments", "value", "Get"),
        None,
    ),
    (
        "SP517",
        changed((*CONDITION, "LeftValue"), get("Steps.evaluate")),
        (*CONDITION, "LeftValue", "Get"),
        None,
    ),
    (
        "SP518",
        changed(("PipelineExperimentConfig", "TrialName"), get("Execution.PipelineExecutionID")),
        ("PipelineExperimentConfig", "TrialName", "Get"),
        "did you mean `PipelineExecutionId`?",
    ),
    (
        "SP410",
        changed((*STEP, "Arguments", "PropertyFiles"), []),
        (*STEP, "Arguments", "PropertyFiles"),
        "`PropertyFiles` belongs beside `Arguments`, not into them",
    ),
    (
        "SP410",
        changed((*STEP, "Arguments", "CacheConfig"), {"Enabled": False}),
        (*STEP, "Arguments", "CacheConfig"),
        "`CacheConfig` belongs beside `Arguments`, not into them",
    ),
    (
        "SP504",
        changed((*STEP, "Environment"), {}),
        (*STEP, "Environment"),
        "`Environment` belongs into `Arguments`",
    ),
    (
        "SP504",
        changed(FAIL, "evaluate"),
        FAIL,
        "write the whole step here, not its name",
    ),
    (
        "SP514",
        changed((*CONDITION, "LeftValue", "Std:JsonGet", "Path"), ""),
        (*CONDITION, "LeftValue", "Std:JsonGet", "Path"),
        "write the way to one value",
    ),
    (
        "SP414",
        with_steps(_registration({"gate": "auc>=0.9"})),
        ("Steps", 2, "Arguments", "CustomerMetadataProperties", "gate"),
        "it has to match",
    ),
    (
        "SP519",
        changed((*LAMBDA, "Arguments", "report"), get("Steps.evaluate.PropertyFiles.metrics")),
        (*LAMBDA, "Arguments", "report", "Get"),
        None,
    ),
    (
        "SP519",
        changed(
            (*CONDITION, "LeftValue", "Std:JsonGet", "PropertyFile"),
            get("Steps.evaluate.PropertyFiles.metric"),
        ),
        (*CONDITION, "LeftValue", "Std:JsonGet", "PropertyFile", "Get"),
        "did you mean `metrics`?",
    ),
    (
        "SP520",
        changed(
            (*FAIL, "Arguments", "ErrorMessage"), get("Steps.notify.OutputParameters['answer']")
        ),
        (*FAIL, "Arguments", "ErrorMessage", "Get"),
        "move",
    ),
    (
        "SP521",
        with_steps(lambda_step("a", DependsOn=["b"]), lambda_step("b", DependsOn=["a"])),
        ("Steps", 3, "DependsOn", 0),
        None,
    ),
    ("SP521", with_steps(lambda_step("a", DependsOn=["a"])), ("Steps", 2, "DependsOn", 0), None),
    (
        "SP410",
        changed((*STEP, "Arguments", "RoleAnr"), ROLE),
        (*STEP, "Arguments", "RoleAnr"),
        "did you mean `RoleArn`?",
    ),
    (
        "SP413",
        changed((*LAMBDA, "OutputParameters", 0, "OutputType"), "Text"),
        (*LAMBDA, "OutputParameters", 0, "OutputType"),
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
