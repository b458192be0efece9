"""What is only warned of, what is found together, and what never is an exception."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.definition import check_definition
from pipelines.diagnostics import Finding, Severity
from pipelines.json_types import Json, JsonObject
from tests.unit.definition.samples import (
    CONDITION,
    DEFINITION,
    FAIL,
    ROLE,
    STEP,
    changed,
    condition_step,
    fail_step,
    for_each_step,
    get,
    lambda_step,
    with_steps,
)


def _warnings(definition: JsonObject) -> list[Finding]:
    found = check_definition(definition)
    assert all(finding.severity is Severity.WARNING for finding in found), found
    return found


def test_a_nested_condition_is_a_warning() -> None:
    """The guide says no, the SDK writes it: nobody here knows what the service does."""
    found = _warnings(
        with_steps(condition_step("outer", condition_step("inner", fail_step("end"))))
    )
    assert [(f.code, f.path[-1]) for f in found] == [("SP513", "Type")]


def test_only_the_outermost_nested_condition_is_warned_of() -> None:
    """Airflow's example nests 31 and runs in the service: one sentence is enough."""
    inner = condition_step("c0", fail_step("end"))
    for number in range(1, 31):
        inner = condition_step(f"c{number}", inner)
    assert [f.code for f in _warnings(with_steps(inner))] == ["SP513"]


def test_a_cache_without_an_end_is_a_warning() -> None:
    """The guide demands a timeout; the SDK writes `{"Enabled": true}` alone."""
    found = _warnings(changed((*STEP, "CacheConfig"), {"Enabled": True}))
    assert [(f.code, f.help) for f in found] == [("SP508", 'write a duration, as "P30D"')]


def test_a_text_that_repeats_the_name_of_what_another_step_creates_is_a_warning() -> None:
    """It is only the beginning of that name; an endpoint keeps the whole of it."""
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large"}
    config = {"EndpointConfigName": "c", "ProductionVariants": [variant]}
    component = {
        "InferenceComponentName": "i",
        "EndpointName": "e",
        "VariantName": "v",
        "Specification": {"ModelName": "m"},
    }
    model = {"ModelName": "m", "PrimaryContainer": {"Image": "i"}, "ExecutionRoleArn": ROLE}
    endpoint = {"EndpointName": "e", "EndpointConfigName": "c"}
    steps = [
        {"Name": "model", "Type": "Model", "Arguments": model},
        {"Name": "config", "Type": "EndpointConfig", "Arguments": config},
        {"Name": "endpoint", "Type": "Endpoint", "Arguments": endpoint},
        {"Name": "component", "Type": "InferenceComponent", "Arguments": component},
    ]
    found = _warnings(with_steps(*steps))
    assert {f.code for f in found} == {"SP526"}
    assert [(f.path[-1], f.help) for f in found] == [
        ("ModelName", 'write {"Get": "Steps.model.ModelName"}'),
        ("EndpointConfigName", 'write {"Get": "Steps.config.EndpointConfigName"}'),
        ("ModelName", 'write {"Get": "Steps.model.ModelName"}'),
    ]
    reference = {**endpoint, "EndpointConfigName": get("Steps.config.EndpointConfigName")}
    steps[2] = {"Name": "endpoint", "Type": "Endpoint", "Arguments": reference}
    assert all(f.path[-1] == "ModelName" for f in _warnings(with_steps(*steps)))


def test_a_type_without_documented_arguments_is_a_warning() -> None:
    """PipelineExecutionStepMetadata knows Athena; no source says its arguments."""
    step = {"Name": "q", "Type": "Athena", "Arguments": {"Query": 1}}
    reader = lambda_step("a", get("Steps.q.Anything[0]"))
    assert [f.code for f in _warnings(with_steps(step, reader))] == ["SP523"]


def test_a_parameter_without_a_type_is_a_string_with_a_warning() -> None:
    """The service's published schema requires the `Type` of all others; real ones leave it away."""
    definition = changed(("Parameters", 1), {"Name": "stage", "Description": "where it runs"})
    definition["Steps"].append(lambda_step("a", get("Parameters.stage")))
    definition["Steps"][0]["Arguments"]["Environment"] = {"STAGE": get("Parameters.stage")}
    assert [(f.code, f.path) for f in _warnings(definition)] == [("SP503", ("Parameters", 1))]


def test_a_property_file_in_brackets_is_a_warning() -> None:
    """As `Outputs['report']` is written; Terraform code writes this one so, too."""
    place = (*CONDITION, "LeftValue", "Std:JsonGet", "PropertyFile")
    found = _warnings(changed(place, get("Steps.evaluate.PropertyFiles['metrics']")))
    assert ("SP519", (*place, "Get")) in {(f.code, f.path) for f in found}
    wrong = check_definition(changed(place, get("Steps.evaluate.PropertyFiles['metric']")))
    assert {f.help for f in wrong} == {"did you mean `metrics`?"}


@pytest.mark.parametrize("path", ["a..b", "a.[0", "a[0:2]", "a.'b c'"])
def test_a_json_path_that_the_local_run_cannot_read_is_a_warning(path: str) -> None:
    """No source says all that the service reads."""
    place = (*CONDITION, "LeftValue", "Std:JsonGet", "Path")
    found = _warnings(changed(place, path))
    assert ("SP514", place) in {(f.code, f.path) for f in found}


@pytest.mark.parametrize("path", ["auc", "$.auc", "$['a b'].c", "a[0][1].b-c", "val:auc@5"])
def test_the_usual_json_paths_have_no_finding(path: str) -> None:
    """With and without JSONPath's root."""
    assert _warnings(changed((*CONDITION, "LeftValue", "Std:JsonGet", "Path"), path)) == []


def _comparing(left: Json, kind: str, right: Json) -> JsonObject:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    "condition",
    [
        _comparing(right=True, left=get("Parameters.stage"), kind="Equals"),
        _comparing(get("Parameters.stage"), "GreaterThan", 0.5),
        _comparing(get("Parameters.count"), "Equals", 1.0),
        _comparing(get("Execution.StartDateTime"), "LessThan", get("Parameters.count")),
    ],
)
def test_a_comparison_of_two_types_is_a_warning(condition: JsonObject) -> None:
    """Wherever it stands; real definitions compare `False` with false."""
    for inside, below in (
        (condition, ()),
        ({"Type": "Not", "Condition": condition}, ("Condition",)),
        ({"Type": "Or", "Conditions": [condition]}, ("Conditions", 0)),
    ):
        found = _warnings(changed(CONDITION, inside))
        assert [(f.code, f.path) for f in found] == [("SP512", (*CONDITION, *below))]


@pytest.mark.parametrize(
    "condition",
    [
        _comparing(get("Parameters.stage"), "Equals", "dev"),
        _comparing(get("Parameters.count"), "GreaterThan", 0.5),
        _comparing(get("Execution.StartDateTime"), "GreaterThan", "2020-12-01"),
        _comparing(get("Steps.evaluate.ProcessingJobStatus"), "Equals", 1),
    ],
)
def test_a_comparison_of_one_type_or_of_a_type_not_known_has_no_finding(
    condition: JsonObject,
) -> None:
    """Numbers are ordered among each other."""
    assert _warnings(changed(CONDITION, condition)) == []


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("CreateModel", "Model"),
        ("CreateModelStep", "Model"),
        ("TrainingStep", "Training"),
        ("HyperParameterTuning", "Tuning"),
        ("Registermodel", "RegisterModel"),
    ],
)
def test_another_name_of_a_type_leads_to_it(given: str, meant: str) -> None:
    """Operations and the SDK's classes are called otherwise than the Types."""
    found = check_definition(changed((*STEP, "Type"), given))
    assert f"did you mean `{meant}`?" in {f.help for f in found if f.code == "SP505"}


def test_needing_a_step_of_a_branch_from_outside_is_a_warning() -> None:
    """The service takes it; the step runs when the branch is taken."""
    reader = lambda_step("a", get("Steps.notify.OutputParameters['answer']"))
    assert [f.code for f in _warnings(with_steps(reader))] == ["SP520"]


@pytest.mark.parametrize("expiry", ["30d", "P30d", "T12H", "p7D"])
def test_a_loose_duration_is_a_warning(expiry: str) -> None:
    """13 of the 35 real definitions write `30d` or `P30d`, as AWS's examples do."""
    path = (*STEP, "CacheConfig", "ExpireAfter")
    assert [(f.code, f.path) for f in _warnings(changed(path, expiry))] == [("SP508", path)]


@pytest.mark.parametrize("expiry", ["P30D", "PT12H", "P1Y2M10DT2H30M", "P2W", "PT90S"])
def test_a_duration_of_iso_8601_is_right(expiry: str) -> None:
    """Developer guide, caching."""
    assert check_definition(changed((*STEP, "CacheConfig", "ExpireAfter"), expiry)) == []


def test_the_chain_of_a_cycle_is_named() -> None:
    """Data, dependencies and branches together make the order."""
    steps = (
        lambda_step("a", get("Steps.b.OutputParameters['x']")),
        lambda_step(
            "b", DependsOn=["c"], OutputParameters=[{"OutputName": "x", "OutputType": "String"}]
        ),
        lambda_step("c", DependsOn=["a"]),
    )
    (finding,) = check_definition(with_steps(*steps))
    assert (finding.code, finding.message) == (
        "SP521",
        "the steps wait for each other: a → b → c → a",
    )


def test_a_condition_that_reads_its_own_branch_is_a_cycle() -> None:
    """The branch waits for the condition, the condition for the branch."""
    path = (*CONDITION, "LeftValue")
    definition = changed(path, get("Steps.notify.OutputParameters['answer']"))
    assert "SP521" in {finding.code for finding in check_definition(definition)}


def test_all_mistakes_are_found_at_once() -> None:
    """Nobody wants to mend one and be told the next."""
    definition = changed((*STEP, "Arguments", "RoleAnr"), ROLE)
    definition["Version"] = "1"
    definition["Parameters"][0]["Type"] = "Int"
    definition["Steps"].append(lambda_step("x", get("Execution.Nothing")))
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
    findings = check_definition(changed(paths[place % len(paths)], value))
    assert all(finding.message for finding in findings)


@pytest.mark.parametrize("value", [None, [], "text", 1, {}, {"Steps": [1, None, []]}])
def test_what_is_no_definition_is_findings(value: Json) -> None:
    """A file of JSON that is something else."""
    assert check_definition(value)


@pytest.mark.parametrize("body", [7, "text", {"Name": "a"}, [None], [[]]])
def test_a_body_that_is_no_list_of_steps_is_findings(body: Json) -> None:
    """Also where a selector names a step of it."""
    selector = {"Pick": "MaxBy", "Field": get("IterationOutput.a.OutputParameters['x']")}
    definition = with_steps(for_each_step([], ForEachBody=body, Selector=selector))
    found = {finding.path[:4] for finding in check_definition(definition)}
    assert {
        ("Steps", 2, "Arguments", "ForEachBody"),
        ("Steps", 2, "Arguments", "Selector"),
    } <= found


def test_deep_nesting_is_findings() -> None:
    """Neither functions nor conditions nor branches may exhaust the stack."""
    join: Json = "x"
    condition: Json = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    for _ in range(300):
        join = {"Std:Join": {"On": "", "Values": [join]}}
        condition = {"Type": "Not", "Condition": condition}
    definition = changed((*FAIL, "Arguments", "ErrorMessage"), join)
    definition["Steps"][1]["Arguments"]["Conditions"] = [condition]
    assert {"SP512", "SP514"} <= {finding.code for finding in check_definition(definition)}
    assert json.dumps(definition)
