"""Which hyperparameters to try next: a cell of a grid, chance, or what Optuna has learnt.

What is asked for depends on the seed, on what was tried before, and on the results so far: nothing
else is remembered, so that a search that goes on after a crash goes on as it would have.
Optuna is imported where there is something to learn, while the first trials run.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from pipelines.backends.local.jobs.tuning.ranges import (
    CategoricalRange,
    Point,
    drawn,
    read_point,
    texts_of,
)
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.tuning.plan import JobDefinition, TuningPlan
    from pipelines.backends.local.jobs.tuning.study import Study

_AT_RANDOM: Final = 10
"""How many trials at most are chosen at random before a Bayesian search begins to learn."""


@frozen
class Proposal:
    """Hyperparameters to try.

    Args:
        number: counts what a search was asked for.
        tuned: their texts.
        point: the same as what is searched; empty for a cell of a grid.
    """

    number: int
    tuned: Mapping[str, str]
    point: Point


class Search:
    """The search of one definition's space.

    Args:
        plan: the tuning job.
        definition: whose training jobs try what is proposed.
    """

    def __init__(self, plan: TuningPlan, definition: JobDefinition) -> None:
        self._plan, self._definition, self._space = plan, definition, definition.space
        self._asked = self._own = 0
        self._tried: Counter[frozenset[tuple[str, str]]] = Counter()
        self._earlier: list[tuple[Point, float | None]] = []
        self._begun: list[Proposal] = []
        self._told: list[tuple[int, float | None, bool]] = []
        self._study: Study | None = None
        self._at_random = min(_AT_RANDOM, 2 + (plan.most or 4 * _AT_RANDOM) // 4)

    def ask(self) -> Proposal | None:
        """Propose hyperparameters; None once every cell of a grid was tried."""
        while not self._is_informed(self._asked):
            proposal = self._uninformed(self._asked)
            self._asked += 1
            if proposal is None:
                return None
            if not self._was_tried(proposal):
                self._begin(proposal)
                return proposal
        number = max(self._asked, self._own)
        self._asked = number + 1
        return self._proposal(number, self._learnt().suggest(number, self._seed(number)))

    def prepare(self) -> None:
        """Import Optuna, if results decide anything; called while trials run, others to follow."""
        if self._learns:
            self._learnt()

    def tell(self, proposal: Proposal, value: float | None, *, was_stopped: bool = False) -> None:
        """Take the value of a trial; None where it has none."""
        if self._learns:
            self._told.append((proposal.number, value, was_stopped))
        if self._study is not None:
            self._pass_on(self._study)

    def is_hopeless(self, proposal: Proposal, values: list[float]) -> bool:
        """Take the values that a running trial has had; return whether to stop it."""
        return self._learnt().is_hopeless(proposal.number, values)

    def remember(self, tuned: Mapping[str, str], value: float | None, *, is_own: bool) -> None:
        """Take the result of an earlier trial, of this search or of a parent's."""
        if is_own:
            self._own += 1
            self._tried[frozenset(tuned.items())] += 1
        point = read_point(self._space, tuned)
        if point is not None:
            self._earlier.append(({} if self._plan.strategy == "Grid" else point, value))

    def _uninformed(self, number: int) -> Proposal | None:
        """Propose what no result decides; None once a grid has no further cell."""
        if self._plan.strategy == "Grid":
            return self._cell(number)
        return self._proposal(number, drawn(self._space, self._seed(number)))

    def _was_tried(self, proposal: Proposal) -> bool:
        """Return whether an earlier trial had this proposal: they need not end in their order."""
        key = frozenset(proposal.tuned.items())
        if not self._tried[key]:
            return False
        self._tried[key] -= 1
        return True

    @property
    def _is_guided(self) -> bool:
        return self._plan.strategy in {"Bayesian", "Hyperband"}

    @property
    def _learns(self) -> bool:
        """Whether results decide anything: what is tried next, or what is stopped."""
        if self._plan.stops_early or self._plan.epochs is not None:
            return True
        most = self._plan.most
        is_long = most is None or most > self._at_random or bool(self._earlier)
        return self._is_guided and is_long

    def _is_informed(self, number: int) -> bool:
        """Return whether there are results enough to choose by."""
        return self._is_guided and max(number, len(self._earlier)) >= self._at_random

    def _seed(self, number: int) -> str:
        return f"{self._plan.seed}-{number}"

    def _proposal(self, number: int, point: Point) -> Proposal:
        return Proposal(number, texts_of(self._space, point), point)

    def _begin(self, proposal: Proposal) -> None:
        """Let Optuna know of a trial that is not its own, or keep it until it is imported."""
        if self._study is not None:
            self._study.begin(proposal.number, proposal.point)
        else:
            self._begun.append(proposal)

    def _learnt(self) -> Study:
        if self._study is None:
            from pipelines.backends.local.jobs.tuning.study import Study  # noqa: PLC0415 - with Optuna

            self._study = Study(self._plan, self._definition, self._at_random)
            for point, value in self._earlier:
                self._study.add(point, value)
            for one in self._begun:
                self._study.begin(one.number, one.point)
            self._pass_on(self._study)
        return self._study

    def _pass_on(self, study: Study) -> None:
        """Let Optuna know of the trials that have ended since."""
        for number, value, was_stopped in self._told:
            study.end(number, value, was_stopped=was_stopped)
        self._told.clear()

    def _cell(self, number: int) -> Proposal | None:
        cell = next(itertools.islice(self._cells(), number, None), None)
        return None if cell is None else Proposal(number, cell, {})

    def _cells(self) -> Iterator[dict[str, str]]:
        axes = [one for one in self._space if isinstance(one, CategoricalRange)]
        for cell in itertools.product(*(one.values for one in axes)):
            yield {one.name: value for one, value in zip(axes, cell, strict=True)}
