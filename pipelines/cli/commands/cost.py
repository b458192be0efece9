"""`cost`: what an execution will cost, or what one has cost."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.costs import amount_json, estimate_text, spent_text
from pipelines.cli.options import (
    ChosenSpec,
    GivenPath,
    format_option,
    local_option,
    parameters,
    report,
    spec_options,
    writing,
)
from pipelines.cli.printing import as_json, echo, echo_data
from pipelines.cli.project import home_of
from pipelines.cli.results import find_result
from pipelines.cli.scope import open_scope
from pipelines.cli.target import open_account
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import Compiled
from pipelines.cost.endpoints import EndpointCost, endpoint_costs
from pipelines.cost.estimate import Amount, Line, earlier_times, estimate
from pipelines.cost.listing import PRICE_LIST, SERVICE, listed_prices, pricing_region
from pipelines.cost.prices import Prices, keep_prices, kept_prices, known_prices
from pipelines.cost.spent import Spent, spent
from pipelines.cost.usage import Use, uses
from pipelines.definition.named import read
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.execution.parameters import typed_parameters
from pipelines.json_types import JsonObject
from pipelines.spec.model import Aws


@click.command("cost")
@spec_options
@local_option
@format_option("text", "json")
@click.option("--refresh", is_flag=True, help="Retrieve the prices from the AWS Price List API and "
              "keep them.")  # fmt: skip
@click.option(
    "--prices",
    "own",
    type=GivenPath(dir_okay=False),
    metavar="FILE.json",
    help="Prices of your own; otherwise prices.json beside the spec, where there is one.",
)
@click.option("-p", "--parameter", "given", multiple=True, help="NAME=VALUE of a parameter.")
@click.argument("execution", required=False)
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    output_format: str,
    refresh: bool,  # noqa: FBT001 - click's flag
    own: Path | None,
    given: tuple[str, ...],
    execution: str | None,
) -> None:
    """Show what an execution will cost, step by step; with EXECUTION, what that one has cost.

    Expected times come from earlier executions, with --local from those on this machine. A price
    that is in neither the kept ones nor a file is unknown, and so is what depends on it.
    """
    compiled, aws = _compiled(chosen)
    definition = read(compiled.definition)
    values = typed_parameters(definition, parameters(given)) if given else {}
    used = uses(definition, values)
    if refresh:
        _refresh(chosen, _wanted(compiled, used), aws.region)
    prices = known_prices(home_of(chosen.file), aws.region, own)
    if execution is not None:
        with open_scope(chosen, local) as scope:
            rows = spent(find_result(scope, execution), prices, scope.caller)
        document: JsonObject = {"spent": [_row(one, amount=one.amount) for one in rows]}
        _show(output_format, spent_text(rows, prices), document, prices)
        return
    lines = estimate(used, prices, _times(chosen, aws, local))
    hosted = endpoint_costs(compiled, prices)
    document = {
        "steps": [_row(line, likely=line.likely, most=line.most) for line in lines],
        "endpoints": [_row(one, month=one.month) for one in hosted],
    }
    _show(output_format, estimate_text(lines, hosted, prices), document, prices)


def _row(row: Line | EndpointCost | Spent, **amounts: Amount) -> JsonObject:
    return {**asdict(row), **{name: amount_json(one) for name, one in amounts.items()}}


def _show(output_format: str, text: str, document: JsonObject, prices: Prices) -> None:
    if output_format == "json":
        echo_data(as_json({**document, "prices": asdict(prices)}))
    else:
        echo(text)


def _compiled(chosen: ChosenSpec) -> tuple[Compiled, Aws]:
    result = compile_spec(chosen.request())
    report(result.checked, chosen.file, err=True, account=False)
    graph = result.checked.graph
    if result.compiled is None or graph is None:
        message = "a spec without errors was not compiled"
        raise AssertionError(message)
    return result.compiled, graph.spec.aws or Aws()


def _times(chosen: ChosenSpec, aws: Aws, local: bool) -> dict[str, float]:  # noqa: FBT001 - the flag as it was given
    """Return the times of earlier executions; none, with a note, where they cannot be read."""
    if not local and aws == Aws():
        return {}
    try:
        with open_scope(chosen, local) as scope:
            return earlier_times(scope.caller, scope.pipelines[:1])
    except (CallRefusedError, UsageError) as error:
        echo(f"expected times are unknown: {error.problem}", err=True)
        return {}


def _refresh(chosen: ChosenSpec, used: Iterable[str], region: str) -> None:
    """Retrieve prices, and those that were kept before, and keep them with today's date."""
    home = home_of(chosen.file)
    wanted = sorted({*used, *kept_prices(home, region)})
    account = open_account(pricing_region(region))

    def listed(filters: Sequence[Mapping[str, str]]) -> Iterable[str]:
        members: JsonObject = {"ServiceCode": SERVICE, "Filters": list(filters)}
        products = account.pages("pricing", "get_products", "PriceList", **members)
        return map(str, products)  # each is a text with JSON in it

    found = listed_prices(listed, region, wanted)
    with writing(home):
        keep_prices(home, region, found, PRICE_LIST, time.strftime("%Y-%m-%d", time.gmtime()))
    missing = [name for name in wanted if name not in found]
    without = f"; without exactly one price there: {', '.join(missing)}" if missing else ""
    echo(f"kept {len(found)} of {len(wanted)} prices for {region}{without}", err=True)


def _wanted(compiled: Compiled, asked: Iterable[Use]) -> list[str]:
    """Name the prices that a pipeline and its endpoints depend on."""
    used = [one for use in asked for one in (use, *use.instead)]
    names = {use.price for use in used} | {use.storage for use in used if use.volume is not None}
    unknown = (one.month.unknown for one in endpoint_costs(compiled, Prices()))
    return sorted({name for name in (*names, *(n for each in unknown for n in each))
                   if name is not None and "/" in name})  # fmt: skip
