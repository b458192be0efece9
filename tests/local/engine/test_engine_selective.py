"""Selective execution: chosen steps run, what they read comes from an earlier execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.errors import ServiceError
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from tests.local.engine.conftest import Answer, Bench

Write = Callable[..., JsonObject]


def _config(*names: str, source: str | None = None) -> JsonObject:
    config: JsonObject = {"SelectedSteps": [{"StepName": name} for name in names]}
    if source is not None:
        config["SourcePipelineExecutionArn"] = source
    return config


@pytest.fixture
def chain(make_step: Write, branch: Write) -> list[JsonObject]:
    """Four steps in a row, the last in a branch."""
    gate = branch("gate", {"IfSteps": [make_step("d", y={"Get": "Steps.c.x"})]}, holds=True)
    return [
        make_step("a", x={"Get": "Parameters.n"}),
        make_step("b", x={"Get": "Steps.a.x"}),
        make_step("c", x={"Get": "Steps.b.x"}),
        {**gate, "DependsOn": ["c"]},
    ]


@pytest.fixture
def ran(bench: Bench, chain: list[JsonObject]) -> str:
    """The ARN of an execution of the whole chain with `n` = 7."""
    bench.define(*chain, parameters=[{"Name": "n", "Type": "Integer", "DefaultValue": 1}])
    run = bench.run(PipelineParameters=[{"Name": "n", "Value": "7"}])
    assert run.status == "Succeeded"
    bench.jobs.calls.clear()
    return run.arn


def test_selected_steps_run_on_the_results_of_the_source(bench: Bench, ran: str) -> None:
    """Steps before them are listed with where they come from; others are not listed."""
    run = bench.run(SelectiveExecutionConfig=_config("b", "c", source=ran))
    assert bench.jobs.names == ["b", "c"]
    assert bench.arguments("b") == {"x": 7}
    assert run.status == "Succeeded"
    assert set(run.steps) == {"a", "b", "c"}
    assert run.steps["a"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": ran}
    assert "SelectiveExecutionResult" not in run.steps["b"]


def test_no_parameter_is_taken_over_from_the_source(bench: Bench, ran: str) -> None:
    """As in the service: the commands pass on what the source was given."""
    bench.run(SelectiveExecutionConfig=_config("a", source=ran))
    assert bench.arguments("a") == {"x": 1}


def test_a_source_that_has_not_ended_well_or_badly_is_refused(bench: Bench, ran: str) -> None:
    """The service takes one that has Succeeded or Failed."""
    started = bench.start()
    with pytest.raises(ServiceError) as raised:
        bench.start(SelectiveExecutionConfig=_config("b", source=started))
    assert "is Executing: its results cannot be used" in raised.value.problem
    assert ran


def test_a_source_of_another_pipeline_is_refused(bench: Bench, make_step: Write) -> None:
    """The service takes a reference execution of the current pipeline."""
    other = bench.run(make_step("a"), make_step("b", DependsOn=["a"]))
    bench.define(make_step("a"), make_step("b", DependsOn=["a"]), name="q")
    with pytest.raises(ServiceError) as raised:
        bench.start(name="q", SelectiveExecutionConfig=_config("b", source=other.arn))
    assert "is one of p: its results cannot be used" in raised.value.problem


def test_a_selected_step_of_a_branch_runs_without_its_condition(bench: Bench, ran: str) -> None:
    """The condition is not selected, so nobody asks it."""
    run = bench.run(SelectiveExecutionConfig=_config("d", source=ran))
    assert bench.jobs.names == ["d"]
    assert set(run.steps) == {"c", "d"}


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["a", "c"], "`b` is between selected steps"),
        (["x"], "`x` is selected, but it is not a step"),
    ],
)
def test_a_selection_that_cannot_run_is_refused_at_the_start(
    bench: Bench, ran: str, names: list[str], problem: str
) -> None:
    """A ValidationException; no execution is recorded."""
    with pytest.raises(ServiceError) as raised:
        bench.start(SelectiveExecutionConfig=_config(*names, source=ran))
    assert problem in raised.value.problem
    found = bench.service.list_pipeline_executions(PipelineName="p")
    assert len(found["PipelineExecutionSummaries"]) == 1


def test_a_step_that_failed_in_the_source_cannot_be_reused(
    bench: Bench, make_step: Write, failing: Answer
) -> None:
    """The message says to select it too."""
    bench.jobs.answers["a"] = failing
    source = bench.run(make_step("a"), make_step("b", DependsOn=["a"]))
    with pytest.raises(ServiceError) as raised:
        bench.start(SelectiveExecutionConfig=_config("b", source=source.arn))
    assert "`a`, which did not succeed in the source" in raised.value.problem


def test_without_a_source_only_steps_that_need_none_can_be_selected(
    bench: Bench, make_step: Write
) -> None:
    """The service names the steps that are needed, too."""
    bench.define(make_step("a"), make_step("b", DependsOn=["a"]))
    with pytest.raises(ServiceError) as raised:
        bench.start(SelectiveExecutionConfig=_config("b"))
    assert "need `a`, and no source execution is named" in raised.value.problem
    run = bench.run(SelectiveExecutionConfig=_config("a"))
    assert (run.status, set(run.steps)) == ("Succeeded", {"a"})
