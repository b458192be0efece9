"""What a run in an account may cost is known before it starts, or it does not start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.account import uses
from tests.acceptance.spending import SpendingError, listed_prices, planned, prices_of

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


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": "1"}', '{"a": 0}', '{"a": -1}', '{"a": true}', '{"a": NaN}']
)
def test_a_file_of_prices_holds_numbers_above_zero(tmp_path: Path, text: str) -> None:
    """Everything else is refused, with the file's name."""
    file = tmp_path / "prices.json"
    file.write_text(text)
    with pytest.raises(SpendingError, match=r"prices\.json"):
        prices_of(file)


class PriceList:
    """The Price List API, with these products."""

    def __init__(self, *products: dict[str, Any]) -> None:
        self.products = products

    def get_paginator(self, _operation: str) -> PriceList:
        """Return itself: it is its own paginator."""
        return self

    def paginate(self, **_request: object) -> list[dict[str, Any]]:
        """Answer with one page."""
        return [{"PriceList": [json.dumps(product) for product in self.products]}]


def _product(dollars: str, unit: str = "Hrs") -> dict[str, Any]:
    dimension = {"unit": unit, "pricePerUnit": {"USD": dollars}}
    return {"terms": {"OnDemand": {"t": {"priceDimensions": {"d": dimension}}}}}


def test_a_listed_price_counts_only_where_there_is_exactly_one() -> None:
    """None and several stay unknown, and so the run does not start."""
    wanted = ["training/ml.m5.large"]
    one = PriceList(_product("0.115"), _product("0.115"), _product("9", "GB"))
    assert listed_prices(one, "eu-west-1", wanted) == {"training/ml.m5.large": 0.115}
    assert listed_prices(PriceList(), "eu-west-1", wanted) == {}
    assert listed_prices(PriceList(_product("1"), _product("2")), "eu-west-1", wanted) == {}


def test_the_suite_fits_an_hour_of_instances() -> None:
    """Minutes at most, of all tests that use an instance."""
    minutes = sum(some for _, some in uses())
    assert 0 < minutes <= 60
