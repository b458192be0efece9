"""Executions of conditions and Fail steps: outcomes, orders, parameters. Nothing costs money."""

from __future__ import annotations

import re

import pytest

from pipelines.json_types import JsonObject
from tests.acceptance.definitions import (
    ALWAYS,
    Ended,
    condition,
    create,
    definition,
    ended,
    fail,
    refusal,
    run,
    start,
)
from tests.acceptance.target import Target

NEVER = {"Type": "Equals", "LeftValue": "a", "RightValue": "b"}
CONDITIONS: dict[str, tuple[JsonObject, str]] = {
    "equal": (ALWAYS, "True"),
    "unequal": (NEVER, "False"),
    "greater": ({"Type": "GreaterThan", "LeftValue": 2, "RightValue": 1}, "True"),
    "at-least": ({"Type": "GreaterThanOrEqualTo", "LeftValue": 1, "RightValue": 1}, "True"),
    "less": ({"Type": "LessThan", "LeftValue": 2, "RightValue": 1}, "False"),
    "at-most": ({"Type": "LessThanOrEqualTo", "LeftValue": 1, "RightValue": 1}, "True"),
    "not": ({"Type": "Not", "Condition": ALWAYS}, "False"),
    "or": ({"Type": "Or", "Conditions": [NEVER, ALWAYS]}, "True"),
}
PARAMETERS = (
    {"Name": "Needed", "Type": "String"},
    {"Name": "Size", "Type": "String", "DefaultValue": "s", "EnumValues": ["s", "m"]},
    {"Name": "Count", "Type": "Integer", "DefaultValue": 3},
)


@pytest.fixture(scope="module")
def decided(target: Target) -> Ended:
    """Run one pipeline with a step for each type of condition, in order."""
    steps: list[JsonObject] = []
    for name, (one, _) in CONDITIONS.items():
        before = [steps[-1]["Name"]] if steps else []
        steps.append(condition(name, one, DependsOn=before))
    both = condition("both", ALWAYS, NEVER, then=(fail("not-taken", "never"),))
    return run(target, "conditions", definition(*steps, both))


@pytest.mark.fact("1.5")
@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_step_carries_its_outcome(decided: Ended, name: str) -> None:
    """`Metadata.Condition.Outcome` is the text True or False."""
    assert decided.outcome(name) == CONDITIONS[name][1]


@pytest.mark.fact("1.5")
def test_the_top_list_of_conditions_is_anded(decided: Ended) -> None:
    """One that does not hold decides."""
    assert decided.outcome("both") == "False"


@pytest.mark.fact("1.7")
def test_a_branch_that_is_not_taken_is_not_run(decided: Ended) -> None:
    """Its steps are not listed as executed, and the execution succeeds."""
    assert decided.status == "Succeeded"
    executed = [step for step in decided.steps if step.get("StartTime") is not None]
    assert "not-taken" not in [step["StepName"] for step in executed]


@pytest.mark.fact("12.1")
def test_steps_are_listed_newest_first(decided: Ended) -> None:
    """Without SortOrder, as 22 of 22 recorded answers have it."""
    chain = [step["StepName"] for step in decided.steps if step["StepName"] in CONDITIONS]
    assert chain == list(reversed(CONDITIONS))


@pytest.mark.fact("12.1")
def test_an_execution_without_a_display_name_gets_one(decided: Ended, target: Target) -> None:
    """`execution-<epoch ms>` in Describe and in List; CreatedBy is there."""
    name = decided.described["PipelineExecutionDisplayName"]
    assert re.fullmatch(r"execution-\d{13}", name)
    assert {"CreatedBy", "LastModifiedBy"} <= decided.described.keys()
    (listed,) = target.sagemaker.list_pipeline_executions(PipelineName=target.named("conditions"))[
        "PipelineExecutionSummaries"
    ]
    assert listed["PipelineExecutionDisplayName"] == name


@pytest.mark.fact("10.16")
@pytest.mark.unverified
def test_an_in_condition_has_query_value_and_values(target: Target) -> None:
    """The published schema has `Value` and `In`; the SDK writes these."""
    one = {"Type": "In", "QueryValue": "b", "Values": ["a", "b"]}
    assert run(target, "in", definition(condition("in", one))).outcome("in") == "True"


@pytest.mark.fact("10.3")
@pytest.mark.unverified
def test_equals_of_an_integer_and_a_string_fails_the_step(target: Target) -> None:
    """As the SDK's local mode; the guide does not say."""
    mixed = {"Type": "Equals", "LeftValue": 1, "RightValue": "1"}
    execution = run(target, "mixed", definition(condition("mixed", mixed)))
    assert (execution.status, execution.step("mixed")["StepStatus"]) == ("Failed", "Failed")


@pytest.mark.fact("1.4")
def test_a_fail_step_gives_its_message_and_ends_the_execution(target: Target) -> None:
    """The message is joined from a parameter; the execution cannot be retried."""
    message = {"Std:Join": {"On": " ", "Values": ["no", {"Get": "Parameters.What"}]}}
    parameter = {"Name": "What", "Type": "String", "DefaultValue": "good"}
    text = definition(fail("end", message), parameters=(parameter,))
    execution = run(target, "fail", text)
    assert execution.status == "Failed"
    assert execution.step("end")["StepStatus"] == "Failed"
    assert execution.step("end")["Metadata"]["Fail"]["ErrorMessage"] == "no good"
    code, _ = refusal(
        target.sagemaker.retry_pipeline_execution,
        PipelineExecutionArn=execution.arn,
    )
    assert code in ("ValidationException", "ConflictException")


@pytest.fixture(scope="module")
def with_parameters(target: Target) -> str:
    """Create a pipeline with parameters and return its name."""
    step = condition("only", {**ALWAYS, "LeftValue": {"Get": "Parameters.Needed"}})
    return create(target, "parameters", definition(step, parameters=PARAMETERS))


@pytest.mark.fact("1.2")
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"Needed": "a", "Size": "xl"},
        {"Needed": "a", "Count": "many"},
        {"Needed": "a", "Nobody": "x"},
    ],
    ids=["none given", "not in EnumValues", "not an integer", "unknown"],
)
def test_values_that_do_not_fit_the_parameters_are_refused(
    target: Target, with_parameters: str, values: dict[str, str]
) -> None:
    """StartPipelineExecution answers ValidationException, and nothing has started."""
    given = [{"Name": name, "Value": value} for name, value in values.items()]
    code, _ = refusal(
        target.sagemaker.start_pipeline_execution,
        PipelineName=with_parameters,
        PipelineParameters=given,
    )
    assert code == "ValidationException"


@pytest.mark.fact("1.2")
@pytest.mark.unverified
def test_an_empty_value_is_refused(target: Target, with_parameters: str) -> None:
    """The SDK's local mode says so of the service."""
    code, _ = refusal(
        target.sagemaker.start_pipeline_execution,
        PipelineName=with_parameters,
        PipelineParameters=[{"Name": "Needed", "Value": ""}],
    )
    assert code == "ValidationException"


@pytest.mark.fact("1.11")
def test_the_same_client_request_token_starts_one_execution(
    target: Target, with_parameters: str
) -> None:
    """A repeated call answers with the execution of the first one."""
    request = {
        "PipelineParameters": [{"Name": "Needed", "Value": "a"}],
        "ClientRequestToken": target.request_token("start"),
    }
    first, second = (start(target, with_parameters, **request) for _ in range(2))
    assert first == second
    assert ended(target, first).status == "Succeeded"
    listed = target.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=first)
    values = {one["Name"]: one["Value"] for one in listed["PipelineParameters"]}
    assert values == {"Needed": "a", "Size": "s", "Count": "3"}
