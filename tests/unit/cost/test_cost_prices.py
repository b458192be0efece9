"""Prices: from a file or from the Price List API, kept with their date; none is built in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.cost.listing import PRICE_LIST, listed_prices, pricing_region
from pipelines.cost.prices import Prices, keep_prices, known_prices, read_prices
from pipelines.errors import UsageError
from tests.unit.cost.price_list import listed, product


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("{", "1:1", "never closed"),
        ("[]", "1:1", "the file is a list"),
        ('{\n "training/ml.a.b": "1"}', "2:21", "must be a number above 0"),
        ('{"training/ml.a.b": 0}', "1:21", "the price of training/ml.a.b must be a number above 0"),
        ('{"training/ml.a.b": true}', "1:21", "above 0"),
        ('{"training/ml.a.b": NaN}', "1:21", "above 0"),
        ('{"trainig/ml.a.b": 1}', "1:2", "`trainig/ml.a.b` is not the name of a price"),
        ('{"training/m5.large": 1}', "1:2", "is not the name of a price"),
        ('{"training/storage": 1,\n "training/storage": 2}', "2:2", "already on line 1"),
    ],
)
def test_a_file_of_prices_holds_names_and_numbers_above_zero(
    tmp_path: Path, text: str, place: str, said: str
) -> None:
    """Everything else is refused at its place: a name that no cost asks for would count nowhere."""
    file = tmp_path / "prices.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=re.escape(f"prices.json:{place}: ")) as refused:
        read_prices(file)
    assert said in refused.value.problem
    if "trainig" in text:
        assert refused.value.remedy == "did you mean `training/ml.a.b`?"


@pytest.mark.parametrize("text", ['{"r": 3}', '{"r": {"a": 1}}', '{"r": {"prices": {"a": 0}}}'])
def test_kept_prices_that_somebody_changed_are_refused(tmp_path: Path, text: str) -> None:
    """With the file's name, and without a traceback."""
    (tmp_path / "prices.json").write_text(text)
    with pytest.raises(UsageError, match=r"prices\.json"):
        known_prices(tmp_path, "r")


def test_a_product_is_recognised_by_what_a_bill_calls_it() -> None:
    """An instance has a product for each use, and others for spot; free tiers cost nothing."""
    products = [
        product("EU-Train:ml.m5.large", "0.128"),
        product("EU-SpotTraining:ml.m5.large", "0.05"),
        product("EU-Host:ml.m5.large", "0.129"),
        product("EU-Tsform:ml.m5.large", "0.13"),
        product("EU-AsyncInf:ml.m5.large", "0.131"),
        product("EU-Processing:ml.m5.large", "0.132"),
        product("EU-Processing_DW:ml.m5.large", "9"),
        product("EU-Train:ml.m5.large.reserved", "9"),
        product("EU-Train:VolumeUsage.gp2", "0.154", "GB-Mo"),
        product("EU-ServerlessInf:Mem-1GB", "0", "seconds", "0.00002"),
        product("EU-ServerlessInf:Mem-2GB", "0.00004", "seconds"),
        product("EU-ProvisionedConcurrency:Usage-1GB", "0.000005", "seconds"),
        product("EU-ProvisionedConcurrency:Mem-1GB", "0.00001", "seconds"),
        product("EU-Train:ml.p9.large", "1"),
        product("EU-Train:ml.p9.large", "2"),
    ]
    expected = {
        "training/ml.m5.large": 0.128,
        "hosting/ml.m5.large": 0.129,
        "transform/ml.m5.large": 0.13,
        "asynchronous/ml.m5.large": 0.131,
        "processing/ml.m5.large": 0.132,
        "training/storage": 0.154,
        "serverless/gb-second": 0.00002,
        "serverless-provisioned/gb-second": 0.000005,
        "serverless-provisioned/request-gb-second": 0.00001,
    }
    ambiguous = ["training/ml.p9.large", "processing/storage"]
    found = listed_prices(listed("eu-west-1", products), "eu-west-1", [*expected, *ambiguous])
    assert found == expected


def test_china_has_its_own_price_list_and_currency() -> None:
    """Its products have prices in CNY alone, and no other region's list has them."""
    chinese = product("CNN1-Train:ml.m5.large", "0.9", currency="CNY")
    wanted = ["training/ml.m5.large"]
    found = listed_prices(listed("cn-north-1", [chinese]), "cn-north-1", wanted)
    assert found == {"training/ml.m5.large": 0.9}
    assert listed_prices(listed("eu-west-1", [chinese]), "eu-west-1", wanted) == {}
    assert pricing_region("cn-north-1") == "cn-northwest-1"
    assert pricing_region("eu-west-1") == "us-east-1"


def test_an_amount_that_is_not_nothing_is_not_written_as_0() -> None:
    """Cents from one up, four digits below, two significant ones below a cent."""
    prices = Prices()
    amounts = (0, 1234.5, 0.05, 0.01, 0.0042, 0.00002)
    assert [prices.money(one) for one in amounts] == [
        *("0.00 $", "1,234.50 $", "0.0500 $", "0.0100 $", "0.0042 $", "0.000020 $")
    ]
    assert Prices(currency="CNY").money(3) == "3.00 CNY"


def test_kept_prices_have_their_date_and_those_of_a_file_go_before(tmp_path: Path) -> None:
    """Each region has its own; a price that nobody gave is not known."""
    home = tmp_path / ".pipelines"
    assert known_prices(home, "eu-west-1").each == {}
    keep_prices(home, "us-east-1", {"training/ml.m5.large": 9.0}, PRICE_LIST, "2026-01-01")
    kept_ones = {"training/ml.m5.large": 0.115, "hosting/storage": 1.0}
    keep_prices(home, "eu-west-1", kept_ones, PRICE_LIST, "2026-11-26")
    kept = known_prices(home, "eu-west-1")
    assert kept.of("training/ml.m5.large") == 0.115
    assert kept.of("training/ml.m5.xlarge") is None
    assert kept.sources == ("the AWS Price List API, AmazonSageMaker, 2026-11-26",)
    own = tmp_path / "prices.json"
    own.write_text('{"training/ml.m5.large": 0.1}')
    both = known_prices(home, "eu-west-1")
    assert (both.of("training/ml.m5.large"), both.of("hosting/storage")) == (0.1, 1.0)
    assert both.sources[1:] == (str(own),)
