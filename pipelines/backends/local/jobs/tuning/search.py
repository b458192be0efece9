"""Which hyperparameters to try next: Optuna, asked and told; imported by a tuning job alone.

What is asked for depends on the seed, on how many were asked for before, and on the results so far:
nothing else is remembered, so that a search that goes on after a crash goes on as it would have.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import optuna

from pipelines.backends.local.jobs.tuning.ranges import CategoricalRange, NumberRange, read_point
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.tuning.plan import JobDefinition, TuningPlan

_AT_RANDOM: Final = 10
"""How many trials at most are chosen at random before a Bayesian search begins to learn."""


@frozen
class Proposal:
    """Hyperparameters to try: their texts, and Optuna's trial."""

    tuned: Mapping[str, str]
    trial: optuna.Trial


class Search:
    """The search of one definition's space.

    Args:
        plan: the tuning job.
        definition: whose training jobs try what is proposed.
    """

    def __init__(self, plan: TuningPlan, definition: JobDefinition) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._plan, self._space = plan, definition.space
        self._asked = 0
        self._distributions = {one.name: self._distribution(one) for one in self._space}
        directions = optuna.study.StudyDirection
        direction = directions.MAXIMIZE if definition.maximize else directions.MINIMIZE
        pruner = self._pruner() if plan.stops_early or plan.epochs else optuna.pruners.NopPruner()
        sampler = optuna.samplers.RandomSampler(plan.seed)
        self._study = optuna.create_study(direction=direction, sampler=sampler, pruner=pruner)

    def ask(self) -> Proposal | None:
        """Propose hyperparameters; None once every cell of a grid was tried."""
        self._study.sampler = self._sampler()
        if self._is_grid:
            cell = next(itertools.islice(self._cells(), self._asked, None), None)
            self._asked += 1
            return None if cell is None else Proposal(cell, self._study.ask())
        self._asked += 1
        trial = self._study.ask(self._distributions)
        tuned = {one.name: one.text(trial.params[one.name]) for one in self._space}
        return Proposal(tuned, trial)

    def tell(self, proposal: Proposal, value: float | None, *, was_stopped: bool = False) -> None:
        """Take the value of a trial; None where it has none."""
        states = optuna.trial.TrialState
        if value is None:
            self._study.tell(proposal.trial, state=states.FAIL)
        elif was_stopped:
            self._study.tell(proposal.trial, state=states.PRUNED)
        else:
            self._study.tell(proposal.trial, value)

    def is_hopeless(self, proposal: Proposal, values: list[float]) -> bool:
        """Take the values that a running trial has had; return whether to stop it."""
        trial = proposal.trial
        known = len(self._study.trials[trial.number].intermediate_values)
        for step, value in enumerate(values[known:], start=known + 1):
            trial.report(value, step)
            if trial.should_prune() or self._is_enough(step):
                return True
        return False

    def _is_enough(self, step: int) -> bool:
        """Return whether Hyperband trains no further."""
        return self._plan.epochs is not None and step >= self._plan.epochs[1]

    def remember(self, tuned: Mapping[str, str], value: float | None, *, is_own: bool) -> None:
        """Take the result of an earlier trial, of this search or of a parent's."""
        self._asked += is_own
        point = read_point(self._space, tuned)
        if point is None:
            return
        state = optuna.trial.TrialState
        self._study.add_trial(
            optuna.trial.create_trial(
                state=state.FAIL if value is None else state.COMPLETE,
                value=value,
                params={} if self._is_grid else point,
                distributions={} if self._is_grid else self._distributions,
            )
        )

    @property
    def _is_grid(self) -> bool:
        return self._plan.strategy == "Grid"

    def _cells(self) -> Iterator[dict[str, str]]:
        axes = [one for one in self._space if isinstance(one, CategoricalRange)]
        for cell in itertools.product(*(one.values for one in axes)):
            yield {one.name: value for one, value in zip(axes, cell, strict=True)}

    def _sampler(self) -> optuna.samplers.BaseSampler:
        seed = zlib.crc32(f"{self._plan.seed}-{self._asked}".encode())
        samplers = optuna.samplers
        if self._plan.strategy in {"Random", "Grid"}:
            return samplers.RandomSampler(seed)
        most = self._plan.most or 4 * _AT_RANDOM
        first = min(_AT_RANDOM, 2 + most // 4)
        return samplers.TPESampler(
            seed=seed, n_startup_trials=first, constant_liar=self._plan.parallel > 1
        )

    def _pruner(self) -> optuna.pruners.BasePruner:
        pruners = optuna.pruners
        if self._plan.epochs is not None:
            least, most = self._plan.epochs
            return pruners.HyperbandPruner(min_resource=least, max_resource=most)
        return pruners.MedianPruner()

    def _distribution(
        self, one: NumberRange | CategoricalRange
    ) -> optuna.distributions.BaseDistribution:
        kinds = optuna.distributions
        if isinstance(one, CategoricalRange):
            return kinds.CategoricalDistribution(one.values)
        low, high = one.searched
        if one.is_whole:
            return kinds.IntDistribution(int(low), int(high), log=one.is_logarithmic)
        return kinds.FloatDistribution(float(low), float(high), log=one.is_logarithmic)
