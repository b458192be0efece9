"""`cost`: what an execution will cost, and has cost, by prices of a file; unknown without."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, ClassVar

import pytest

from tests.unit.cost.price_list import product

if TYPE_CHECKING:
    from pipelines.json_types import JsonObject
    from tests.functional.cli.conftest import Command

PRICES = {"processing/ml.m5.xlarge": 0.25, "processing/storage": 0.1}


def test_a_cost_is_unknown_until_somebody_gives_prices(project: Path, pipelines: Command) -> None:
    """No price is built in; what depends on one that is missing is said to be unknown."""
    unknown = pipelines("cost")
    assert unknown.code == 0, unknown.err
    assert "unknown times, since no run has had these steps: make, use\n" in unknown.out
    assert "unknown prices: processing/ml.m5.xlarge, processing/storage\n" in unknown.out
    steps = json.loads(pipelines("cost", "--format", "json").out)["steps"]
    assert steps[0]["most"]["known"] is None, "what is not known is not 0"
    assert "has no parameter `nosuch`" in pipelines("cost", "-p", "nosuch=1").err
    assert "pipelines cost --refresh" in unknown.out
    assert pipelines("run").code == 0
    (project / "prices.json").write_text(json.dumps(PRICES))
    rows = {line.split("  ")[0]: line for line in pipelines("cost", "--local").out.splitlines()}
    assert "1 x processing/ml.m5.xlarge" in rows["make"]
    assert rows["make"].endswith("24h 00m  6.10 $")
    assert "prices.json" in rows[next(row for row in rows if row.startswith("prices: "))]
    answer = json.loads(pipelines("cost", "--local", "latest", "--format", "json").out)
    spent = {one["step"]: one for one in answer["spent"]}
    assert spent.keys() == {"make", "use"}
    assert spent["make"]["amount"]["known"] > 0
    assert spent["make"]["amount"]["unknown"] == []


def test_a_file_of_prices_that_is_wrong_is_named(project: Path, pipelines: Command) -> None:
    """A price is above 0: one that is not known is left out of the file."""
    (project / "mine.json").write_text('{"processing/ml.m5.xlarge": 0}')
    refused = pipelines("cost", "--prices", "mine.json")
    assert refused.code == 2
    said = "mine.json:1:29: the price of processing/ml.m5.xlarge must be a number above 0"
    assert said in refused.err


class _PriceList(BaseHTTPRequestHandler):
    """The Price List API: one product a page, as GetProducts answers it."""

    products: ClassVar[list[JsonObject]] = [
        product("USE1-Train:ml.m5.xlarge", "0.276"),
        product("USE1-Processing:ml.m5.xlarge", "0.276"),
    ]

    def do_POST(self) -> None:
        """Answer GetProducts for the region that the project is in."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["X-Amz-Target"] == "AWSPriceListService.GetProducts"
        assert asked["ServiceCode"] == "AmazonSageMaker"
        where = {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-east-1"}
        assert asked["Filters"] == [where]
        page = int(asked.get("NextToken", 0))
        answer = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(self.products[page])]}
        if page + 1 < len(self.products):
            answer["NextToken"] = str(page + 1)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.usefixtures("project")
def test_prices_are_retrieved_page_by_page_and_kept_for_their_region(
    pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the list does not have is named; sums with it are said to be the least."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _PriceList)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    try:
        answer = pipelines("cost", "--refresh")
    finally:
        server.shutdown()
        server.server_close()
    assert answer.code == 0, answer.err
    assert "kept 1 of 2 prices for us-east-1; without exactly one price there: " in answer.err
    assert "processing/storage\n" in answer.err
    total = next(line for line in answer.out.splitlines() if line.startswith("total"))
    assert total.split("  ")[-1].strip() == "at least 13.25 $"
    assert "the AWS Price List API, AmazonSageMaker, 20" in answer.out
