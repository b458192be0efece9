"""What a run in an account may cost is known before it starts, or it does not start."""

from __future__ import annotations

import pytest

from tests.acceptance.account import uses
from tests.acceptance.spending import SpendingError, planned

USED = [("training/ml.m5.large", 30.0), ("processing/ml.t3.medium", 5.0)] * 2
PRICES = {"training/ml.m5.large": 0.12, "processing/ml.t3.medium": 0.06}


def test_a_plan_is_minutes_by_instance_times_their_prices() -> None:
    """Uses of one instance are added up."""
    plan = planned(USED, PRICES, budget=1)
    assert plan.minutes == {"training/ml.m5.large": 60.0, "processing/ml.t3.medium": 10.0}
    assert plan.dollars == pytest.approx(0.13)


def test_an_unknown_price_is_refused_with_how_to_give_it() -> None:
    """A price that nobody gave is never taken for 0."""
    with pytest.raises(SpendingError, match=r"processing/ml\.t3\.medium: write .*PRICES=<file>"):
        planned(USED, {"training/ml.m5.large": 0.12}, budget=100)


@pytest.mark.parametrize("budget", [0.12, 0, float("nan")])
def test_a_plan_above_the_budget_is_refused(budget: float) -> None:
    """The message says which budget is enough."""
    with pytest.raises(SpendingError, match=r"may cost 0\.13 \$.*BUDGET=1"):
        planned(USED, PRICES, budget)


def test_the_suite_fits_an_hour_of_instances() -> None:
    """Minutes at most, of all tests that use an instance."""
    minutes = sum(some for _, some in uses())
    assert 0 < minutes <= 60
