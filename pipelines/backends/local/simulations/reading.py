"""`--simulate` options → what is simulated in the jobs of each step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from pipelines.backends.local.simulations import kinds
from pipelines.backends.local.simulations.simulation import Simulation, planned
from pipelines.definition.named import defaults_of
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.execution.schedule import ScheduledStep, read_schedule
from pipelines.json_types import Json

Simulated: TypeAlias = Mapping[str, tuple[str, ...]]
"""The cases that are simulated, by the name of the simulation."""

_LISTED = 8


def known_simulations() -> dict[str, Simulation]:
    """Return all simulations by their names, which are those of their modules."""
    files = (file for folder in kinds.__path__ for file in Path(folder).glob("[!_]*.py"))
    names = sorted(file.stem for file in files)
    return {name: import_module(f"{kinds.__name__}.{name}").SIMULATION for name in names}


def parse(given: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Take `--simulate` options apart into simulation and case, each once.

    Raises:
        UsageError: one names no simulation, or no case.
    """
    return tuple(dict.fromkeys(map(_parsed, given)))


def simulated_in(
    steps: Mapping[str, ScheduledStep], parameters: Mapping[str, Json], given: Iterable[str]
) -> dict[str, Simulated]:
    """Return what is simulated, by step; the steps that nothing concerns are left out.

    Args:
        steps: the steps that run.
        parameters: the values of parameters.
        given: the options.

    Raises:
        UsageError: one names something that no step has.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, case in parse(given):
        cases = known_simulations()[name].cases(planned(steps, parameters))
        if case not in cases:
            raise _no_case(name, case, tuple(cases))
        for step in cases[case]:
            of_step = found.setdefault(step, {})
            of_step[name] = (*of_step.get(name, ()), case)
    return dict(found)


def with_members(
    given: Iterable[str],
    definition: str,
    parameters: Mapping[str, str],
    origins: Mapping[str, str],
) -> tuple[str, ...]:
    """Return the options, for a step of the spec those of all steps that come from it.

    Args:
        given: the options.
        definition: the definition.
        parameters: those that are given; the others have their defaults.
        origins: for steps of the definition the step of the spec that they come from.
    """
    schedule = read_schedule(definition)
    steps = planned(schedule.steps, {**defaults_of(schedule.document), **parameters})
    found: list[str] = []
    for name, case in parse(given):
        cases = known_simulations()[name].cases(steps)
        members = [one for one in cases if one == case] or [
            one for one in cases if origins.get(one) == case
        ]
        found += [f"{name}:{one}" for one in members or [case]]
    return tuple(found)


def check_simulations(
    given: Iterable[str],
    definition: str,
    parameters: Mapping[str, str],
    selected: Collection[str] | None = None,
) -> None:
    """Refuse what cannot be simulated before an execution is started for it.

    Args:
        given: the options.
        definition: the definition.
        parameters: those that are given; the others have their defaults.
        selected: the steps that alone run; None for all.

    Raises:
        UsageError: one is not a simulation, or names something that no step has.
    """
    schedule = read_schedule(definition)
    names = schedule.steps if selected is None else selected
    steps = {name: step for name, step in schedule.steps.items() if name in names}
    simulated_in(steps, {**defaults_of(schedule.document), **parameters}, given)


def _parsed(option: str) -> tuple[str, str]:
    name, _, case = option.partition(":")
    known = known_simulations()
    forms = " or ".join(f"--simulate {one}:{found.argument}" for one, found in known.items())
    if name not in known:
        close = nearest(name, known)
        meant = f"did you mean `{close}`? " if close else ""
        problem = f"`--simulate {option}`: there is no simulation `{name}`"
        raise UsageError(problem, f"{meant}write {forms}")
    if not case:
        argument = known[name].argument
        problem = f"`--simulate {option}` does not say which {argument}"
        raise UsageError(problem, f"write --simulate {name}:{argument}")
    return name, case


def _no_case(name: str, case: str, cases: tuple[str, ...]) -> UsageError:
    problem = f"`--simulate {name}:{case}`: `{case}` is not {known_simulations()[name].noun}"
    if not cases:
        return UsageError(problem, "there is none among the steps that run: remove the option")
    close = nearest(case, cases)
    meant = f"did you mean `{close}`? " if close else ""
    more = ", …" if len(cases) > _LISTED else ""
    return UsageError(problem, f"{meant}allowed: {', '.join(cases[:_LISTED])}{more}")
