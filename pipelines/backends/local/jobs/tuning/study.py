"""The results of a search, as Optuna knows them: what it proposes by them, and what it would stop.

Imported by a search that learns, since Optuna takes longer to import than a short trial takes.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import optuna

from pipelines.backends.local.jobs.tuning.ranges import CategoricalRange, NumberRange, Point

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.tuning.plan import JobDefinition, TuningPlan


class Study:
    """One study of Optuna.

    Args:
        plan: the tuning job.
        definition: whose training jobs are its trials.
        at_random: after how many trials Optuna proposes by their results.
    """

    def __init__(self, plan: TuningPlan, definition: JobDefinition, at_random: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._plan, self._at_random = plan, at_random
        self._distributions = {one.name: _distribution(one) for one in definition.space}
        self._trials: dict[int, optuna.Trial] = {}
        directions = optuna.study.StudyDirection
        self._study = optuna.create_study(
            direction=directions.MAXIMIZE if definition.maximize else directions.MINIMIZE,
            sampler=self._sampler(""),
            pruner=self._pruner(),
        )

    def suggest(self, number: int, seed: str) -> Point:
        """Propose what to try next; it runs from now on."""
        self._study.sampler = self._sampler(seed)
        trial = self._trials[number] = self._study.ask(self._distributions)
        return dict(trial.params)

    def begin(self, number: int, point: Point) -> None:
        """Take a trial that somebody else has chosen, and that runs from now on."""
        self._study.enqueue_trial(dict(point))
        self._trials[number] = self._study.ask(self._distributions if point else None)

    def end(self, number: int, value: float | None, *, was_stopped: bool) -> None:
        """Take the value of a trial; None where it has none."""
        states, trial = optuna.trial.TrialState, self._trials.pop(number)
        if value is None:
            self._study.tell(trial, state=states.FAIL)
        elif was_stopped:
            self._study.tell(trial, state=states.PRUNED)
        else:
            self._study.tell(trial, value)

    def is_hopeless(self, number: int, values: list[float]) -> bool:
        """Take the values that a running trial has had; return whether to stop it."""
        trial = self._trials[number]
        known = len(self._study.trials[trial.number].intermediate_values)
        for step, value in enumerate(values[known:], start=known + 1):
            trial.report(value, step)
            if trial.should_prune() or self._is_enough(step):
                return True
        return False

    def add(self, point: Point, value: float | None) -> None:
        """Take an earlier trial that has ended; None where it has no value."""
        states = optuna.trial.TrialState
        self._study.add_trial(
            optuna.trial.create_trial(
                state=states.FAIL if value is None else states.COMPLETE,
                value=value,
                params=dict(point),
                distributions=self._distributions if point else {},
            )
        )

    def _is_enough(self, step: int) -> bool:
        """Return whether Hyperband trains no further."""
        return self._plan.epochs is not None and step >= self._plan.epochs[1]

    def _sampler(self, seed: str) -> optuna.samplers.BaseSampler:
        number = zlib.crc32(seed.encode())
        if self._plan.strategy in {"Random", "Grid"}:  # only what falls behind is of interest
            return optuna.samplers.RandomSampler(number)
        return optuna.samplers.TPESampler(
            seed=number,
            n_startup_trials=self._at_random,
            constant_liar=self._plan.parallel > 1,
        )

    def _pruner(self) -> optuna.pruners.BasePruner:
        pruners = optuna.pruners
        if self._plan.epochs is not None:
            least, most = self._plan.epochs
            return pruners.HyperbandPruner(min_resource=least, max_resource=most)
        return pruners.MedianPruner() if self._plan.stops_early else pruners.NopPruner()


def _distribution(one: NumberRange | CategoricalRange) -> optuna.distributions.BaseDistribution:
    kinds = optuna.distributions
    if isinstance(one, CategoricalRange):
        return kinds.CategoricalDistribution(one.values)
    low, high = one.searched
    if one.is_whole:
        return kinds.IntDistribution(int(low), int(high), log=one.is_logarithmic)
    return kinds.FloatDistribution(float(low), float(high), log=one.is_logarithmic)
