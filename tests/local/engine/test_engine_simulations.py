"""`--simulate`: what it may name, whose jobs it reaches, and that results of it are not reused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.simulations.reading import check_simulations, known_simulations, parse
from pipelines.cli.commands.run import COMMAND
from pipelines.errors import UsageError
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from tests.local.engine.conftest import Answer, Bench

Write = Callable[..., JsonObject]


def _asking(instance_type: object) -> JsonObject:
    return {"ResourceConfig": {"InstanceType": instance_type, "InstanceCount": 1}}


@pytest.mark.parametrize(
    ("option", "problem", "remedy"),
    [
        ("capacty:ml.g6.xlarge", "there is no simulation `capacty`", "did you mean `capacity`?"),
        ("weather:rain", "there is no simulation `weather`", "write --simulate capacity:INSTANCE"),
        ("", "there is no simulation ``", "write --simulate capacity:INSTANCE_TYPE"),
        ("capacity", "does not say which INSTANCE_TYPE", "write --simulate capacity:INSTANCE_TYPE"),
        ("capacity:", "does not say which INSTANCE_TYPE", "write --simulate capacity:INSTANCE"),
    ],
)
def test_an_option_that_is_no_simulation_is_refused_with_what_is_allowed(
    option: str, problem: str, remedy: str
) -> None:
    """Before anything is compiled; the option is quoted."""
    with pytest.raises(UsageError, match=re.escape(f"`--simulate {option}`")) as refused:
        parse([option])
    assert problem in refused.value.problem
    assert remedy in str(refused.value.remedy)


def test_the_help_of_run_names_every_simulation() -> None:
    """One module for each; the option's help is written by hand, so that `run` starts at once."""
    (option,) = (one for one in COMMAND.params if one.name == "simulations")
    for name, simulation in known_simulations().items():
        assert f"{name}:{simulation.argument}" in str(getattr(option, "help", ""))


def test_it_reaches_the_jobs_of_the_steps_that_it_concerns(
    bench: Bench, make_step: Write, succeeding: Answer
) -> None:
    """Parameters count with their values; the other steps are as ever."""
    bench.jobs.answers["a"] = bench.jobs.answers["b"] = succeeding
    by_parameter = _asking({"Get": "Parameters.machine"})
    parameters = [{"Name": "machine", "Type": "String", "DefaultValue": "ml.m5.large"}]
    bench.define(
        make_step("a", Type="Training", Arguments=by_parameter),
        make_step("b", Type="Training", Arguments=_asking("ml.c5.large")),
        parameters=parameters,
    )
    options = RunOptions(simulations=("capacity:ml.g6.xlarge",))
    bench.run(options=options, PipelineParameters=[{"Name": "machine", "Value": "ml.g6.xlarge"}])
    seen = {call.name: call.settings.simulated for call in bench.jobs.calls}
    assert seen == {"a": {"capacity": ("ml.g6.xlarge",)}, "b": {}}
    with pytest.raises(UsageError, match=r"not an instance type that a step asks for"):
        bench.run(options=options)


@pytest.mark.parametrize(
    ("case", "remedy"),
    [
        ("ml.c5.larg", "did you mean `ml.c5.large`? allowed: ml.c5.large, ml.m5.large"),
        ("ml.p5.48xlarge", "allowed: ml.c5.large, ml.m5.large"),
    ],
)
def test_a_case_that_no_step_has_is_refused_before_an_execution_is_started(
    case: str, remedy: str
) -> None:
    """All that may stand there is listed: any of several types, and the types of groups."""
    definition = """{"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Training",
        "Arguments": {"ResourceConfig": {"InstancePreferences":
            [{"InstanceType": "ml.c5.large"}, {"InstanceType": "ml.m5.large"}]}}},
        {"Name": "b", "Type": "EndpointConfig", "Arguments": {"ProductionVariants":
            [{"InstanceType": "ml.p5.48xlarge"}]}}]}"""
    with pytest.raises(UsageError) as refused:
        check_simulations([f"capacity:{case}"], definition, {})
    assert str(refused.value.remedy).endswith(remedy)
    with pytest.raises(UsageError, match="capacity") as none:
        check_simulations(["capacity:ml.c5.large"], definition, {}, selected=["b"])
    assert none.value.remedy == "there is none among the steps that run: remove the option"


def test_what_a_simulation_had_a_part_in_is_not_taken_from_the_cache(
    bench: Bench, make_step: Write, succeeding: Answer
) -> None:
    """The step runs each time, and a run without the simulation does not find its result."""
    bench.jobs.answers["a"] = succeeding
    cached = {"Enabled": True, "ExpireAfter": "P1D"}
    step = make_step("a", Type="Training", Arguments=_asking("ml.c5.large"), CacheConfig=cached)
    simulated = RunOptions(simulations=("capacity:ml.c5.large",))
    for options, runs in ((simulated, 1), (None, 2), (simulated, 3), (None, 3)):
        bench.run(step, options=options)
        assert len(bench.jobs.calls) == runs
