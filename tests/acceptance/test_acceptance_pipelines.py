"""Pipelines and their versions: names, tokens, limits and refusals. Nothing here costs money."""

from __future__ import annotations

import pytest

from tests.acceptance.definitions import (
    ALWAYS,
    condition,
    create,
    definition,
    fail,
    refusal,
    refused_definition,
)
from tests.acceptance.target import Target

ONE_STEP = definition(condition("only", ALWAYS))


@pytest.mark.fact("12.2")
def test_a_name_is_given_once(target: Target) -> None:
    """The SDKs' `upsert` reads this text, to go on with UpdatePipeline."""
    name = create(target, "twice", ONE_STEP)
    text = f"Pipeline with name ({name}) already exists."
    assert refusal(create, target=target, name="twice", text=ONE_STEP) == (
        "ValidationException",
        f"Pipeline names must be unique within an AWS account and region. {text}",
    )


@pytest.mark.fact("1.11")
def test_the_same_client_request_token_creates_one_pipeline(target: Target) -> None:
    """A call that a client repeats answers as it did the first time."""
    request = {
        "PipelineName": target.named("token"),
        "PipelineDefinition": ONE_STEP,
        "RoleArn": target.role,
        "ClientRequestToken": target.request_token("create"),
        "Tags": target.tags,
    }
    first, second = (target.sagemaker.create_pipeline(**request) for _ in range(2))
    assert first["PipelineArn"] == second["PipelineArn"]


@pytest.mark.fact("12.1")
def test_a_pipeline_shows_its_name_where_no_display_name_was_given(target: Target) -> None:
    """DescribePipeline and its list carry PipelineDisplayName."""
    name = create(target, "shown", ONE_STEP)
    described = target.sagemaker.describe_pipeline(PipelineName=name)
    assert described["PipelineDisplayName"] == name
    assert described["PipelineStatus"] == "Active"
    (listed,) = target.sagemaker.list_pipelines(PipelineNamePrefix=name)["PipelineSummaries"]
    assert listed["PipelineDisplayName"] == name


@pytest.mark.fact("1.11")
def test_each_definition_is_a_version(target: Target) -> None:
    """UpdatePipeline makes version 2; version 1 stays."""
    name = create(target, "versions", ONE_STEP)
    second = definition(condition("other", ALWAYS))
    updated = target.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=second)
    assert updated["PipelineVersionId"] == 2
    versions = target.sagemaker.list_pipeline_versions(PipelineName=name)
    numbers = [one["PipelineVersionId"] for one in versions["PipelineVersionSummaries"]]
    assert sorted(numbers) == [1, 2]
    first = target.sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=1)
    assert '"only"' in first["PipelineDefinition"]


@pytest.mark.fact("1.11")
def test_a_pipeline_that_is_not_there_is_resource_not_found(target: Target) -> None:
    """Moto answers ValidationException; the API's model names ResourceNotFound."""
    name = target.named("absent")
    code, _ = refusal(target.sagemaker.describe_pipeline, PipelineName=name)
    assert code == "ResourceNotFound"


@pytest.mark.fact("2.1")
@pytest.mark.parametrize("name", ["under_score", "dash-", "a" * 256])
def test_a_name_outside_its_pattern_is_refused(target: Target, name: str) -> None:
    """Letters, digits and single hyphens between them, at most 256."""
    code, message = refusal(
        target.sagemaker.create_pipeline,
        PipelineName=target.named(name),
        PipelineDefinition=ONE_STEP,
        RoleArn=target.role,
        Tags=target.tags,
    )
    assert code == "ValidationException"
    assert "failed to satisfy constraint" in message


@pytest.mark.fact("2.1")
def test_more_than_fifty_steps_are_refused(target: Target) -> None:
    """The quota is not adjustable."""
    steps = (condition(f"step-{number}", ALWAYS) for number in range(51))
    code, _ = refused_definition(target, "steps", definition(*steps))
    assert code in ("ValidationException", "ResourceLimitExceeded")


@pytest.mark.fact("2.1")
def test_steps_of_a_branch_count_towards_the_fifty(target: Target) -> None:
    """The guide does not say; `validate` counts them."""
    branch = tuple(fail(f"fail-{number}", "no") for number in range(50))
    text = definition(condition("branch", ALWAYS, then=branch))
    code, _ = refused_definition(target, "branches", text)
    assert code in ("ValidationException", "ResourceLimitExceeded")


@pytest.mark.fact("1.3")
@pytest.mark.parametrize("name", ["with space", "a" * 65, ""])
def test_a_step_name_outside_its_pattern_is_refused(target: Target, name: str) -> None:
    """Letters, digits, hyphens and underscores, at most 64."""
    code, _ = refused_definition(target, "badstep", definition(condition(name, ALWAYS)))
    assert code == "ValidationException"


@pytest.mark.fact("1.3")
def test_two_steps_of_one_name_are_refused(target: Target) -> None:
    """A branch's steps and the top level share one set of names."""
    text = definition(fail("same", "x"), condition("branch", ALWAYS, then=(fail("same", "y"),)))
    code, _ = refused_definition(target, "samestep", text)
    assert code == "ValidationException"


@pytest.mark.fact("1.4")
def test_a_fail_step_cannot_be_depended_on(target: Target) -> None:
    """Nothing runs after it."""
    text = definition(fail("end", "x"), condition("after", ALWAYS, DependsOn=["end"]))
    code, _ = refused_definition(target, "afterfail", text)
    assert code == "ValidationException"


@pytest.mark.fact("1.7")
def test_a_dependency_on_no_step_or_in_a_circle_is_refused(target: Target) -> None:
    """Both are refused when the pipeline is created, not when it runs."""
    absent = definition(condition("after", ALWAYS, DependsOn=["nobody"]))
    circle = definition(
        condition("a", ALWAYS, DependsOn=["b"]), condition("b", ALWAYS, DependsOn=["a"])
    )
    for name, text in (("absent", absent), ("circle", circle)):
        code, _ = refused_definition(target, name, text)
        assert code == "ValidationException"


@pytest.mark.fact("1.1")
@pytest.mark.parametrize("text", ["{", "[]", '{"Version": "2020-12-01"}'])
def test_a_text_that_is_no_definition_is_refused(target: Target, text: str) -> None:
    """Neither broken JSON nor JSON without steps makes a pipeline."""
    code, _ = refused_definition(target, "nodefinition", text)
    assert code == "ValidationException"


@pytest.mark.fact("10.2")
@pytest.mark.unverified
@pytest.mark.account_only("the local SageMaker runs what the SDK compiles")
def test_a_condition_in_a_branch_is_refused(target: Target) -> None:
    """The guide says that it is not supported; the SDK compiles it."""
    inner = condition("inner", ALWAYS)
    text = definition(condition("outer", ALWAYS, then=(inner,)))
    code, _ = refused_definition(target, "nested", text)
    assert code == "ValidationException"
