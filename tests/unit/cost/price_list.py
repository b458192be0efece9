"""The Price List API, with the shape of its answers (API reference, GetProducts)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pipelines.cost.listing import PriceList
from pipelines.json_types import JsonObject


def product(usage: str, *prices: str, currency: str = "USD") -> JsonObject:
    """Make a product: a price, then its unit, `Hrs` by default, then the price of a next tier."""
    price, unit, *tiers = prices if len(prices) > 1 else (*prices, "Hrs")
    dimensions = {
        f"SKU.TERM.{number}": {
            "unit": unit,
            "beginRange": str(number),
            "endRange": "Inf",
            "description": f"{each} per {unit}",
            "appliesTo": [],
            "rateCode": f"SKU.TERM.{number}",
            "pricePerUnit": {currency: each},
        }
        for number, each in enumerate((price, *tiers))
    }
    return {
        "product": {
            "productFamily": "ML Instance",
            "attributes": {
                "servicecode": "AmazonSageMaker",
                "usagetype": usage,
                "instanceName": usage.rpartition(":")[2],
                "locationType": "AWS Region",
            },
            "sku": "SKU",
        },
        "serviceCode": "AmazonSageMaker",
        "terms": {
            "OnDemand": {
                "SKU.TERM": {
                    "priceDimensions": dimensions,
                    "sku": "SKU",
                    "effectiveDate": "2026-11-01T00:00:00Z",
                    "offerTermCode": "TERM",
                    "termAttributes": {},
                }
            }
        },
        "version": "20261101000000",
        "publicationDate": "2026-11-01T00:00:00Z",
    }


def listed(region: str, products: Sequence[JsonObject]) -> PriceList:
    """Make a list of one region's products."""

    def answer(filters: Sequence[Mapping[str, str]]) -> list[str]:
        asked = {one["Field"]: one["Value"] for one in filters}
        assert all(one["Type"] == "TERM_MATCH" for one in filters)
        return [json.dumps(one) for one in products if asked == {"regionCode": region}]

    return answer
