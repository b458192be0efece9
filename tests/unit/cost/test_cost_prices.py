"""Prices: from a file or from the Price List API, kept with their date; none is built in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.cost.prices import (
    PriceList,
    keep_prices,
    known_prices,
    listed_prices,
    read_prices,
)
from pipelines.errors import UsageError


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": "1"}', '{"a": 0}', '{"a": -1}', '{"a": true}', '{"a": NaN}']
)
def test_a_file_of_prices_holds_numbers_above_zero(tmp_path: Path, text: str) -> None:
    """Everything else is refused, with the file's name."""
    file = tmp_path / "prices.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"prices\.json"):
        read_prices(file)


@pytest.mark.parametrize("text", ['{"r": 3}', '{"r": {"a": 1}}'])
def test_kept_prices_that_somebody_changed_are_refused(tmp_path: Path, text: str) -> None:
    """With the file's name, and without a traceback."""
    (tmp_path / "prices.json").write_text(text)
    with pytest.raises(UsageError, match=r"prices\.json"):
        known_prices(tmp_path, "r")


def _listed(*products: dict[str, Any]) -> PriceList:
    """The Price List API, with these products."""
    return lambda _filters: map(json.dumps, products)


def _product(dollars: str, unit: str = "Hrs") -> dict[str, Any]:
    dimension = {"unit": unit, "pricePerUnit": {"USD": dollars}}
    return {"terms": {"OnDemand": {"t": {"priceDimensions": {"d": dimension}}}}}


def test_a_listed_price_counts_only_where_there_is_exactly_one() -> None:
    """None and several stay unknown, and so the run does not start."""
    wanted = ["training/ml.m5.large"]
    one = _listed(_product("0.115"), _product("0.115"), _product("9", "GB"))
    assert listed_prices(one, "eu-west-1", wanted) == {"training/ml.m5.large": 0.115}
    assert listed_prices(_listed(), "eu-west-1", wanted) == {}
    assert listed_prices(_listed(_product("1"), _product("2")), "eu-west-1", wanted) == {}


def test_kept_prices_have_their_date_and_those_of_a_file_go_before(tmp_path: Path) -> None:
    """Each region has its own; a price that nobody gave is not known."""
    home = tmp_path / ".pipelines"
    assert known_prices(home, "eu-west-1").dollars == {}
    keep_prices(home, "us-east-1", {"training/ml.m5.large": 9.0}, "2026-01-01")
    keep_prices(home, "eu-west-1", {"training/ml.m5.large": 0.115, "a/b": 1.0}, "2026-11-26")
    kept = known_prices(home, "eu-west-1")
    assert kept.of("training/ml.m5.large") == 0.115
    assert kept.of("training/ml.m5.xlarge") is None
    assert kept.sources == ("the AWS Price List API, AmazonSageMaker, 2026-11-26",)
    own = tmp_path / "prices.json"
    own.write_text('{"training/ml.m5.large": 0.1}')
    both = known_prices(home, "eu-west-1")
    assert (both.of("training/ml.m5.large"), both.of("a/b")) == (0.1, 1.0)
    assert both.sources[1:] == (str(own),)
