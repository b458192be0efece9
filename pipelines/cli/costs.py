"""Costs as text, and the lines about them in `plan` and `status`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pipelines.cli.progress.words import duration
from pipelines.cli.project import home_of
from pipelines.cli.tables import columns
from pipelines.compile.model import Compiled
from pipelines.cost.endpoints import EndpointCost, endpoint_costs
from pipelines.cost.estimate import Amount, Line, estimate, total
from pipelines.cost.prices import Prices, known_prices
from pipelines.cost.spent import Spent, spent
from pipelines.cost.usage import uses
from pipelines.definition.named import read
from pipelines.execution.caller import Caller
from pipelines.results.run import ExecutionResult

_NO_PRICES = "no price is known: `pipelines cost --refresh` retrieves them"


def plan_line(compiled: Compiled, file: Path, region: str) -> str:
    """Return in one line what an execution costs at most, and its endpoints in a month."""
    prices = known_prices(home_of(file), region)
    if not prices.dollars:
        return f"cost: unknown, {_NO_PRICES}"
    lines = estimate(uses(read(compiled.definition)), prices, {})
    whole = total(line.most for line in lines)
    months = endpoint_costs(compiled, prices)
    hosting = f"; endpoints {words(total(c.month for c in months))} a month" if months else ""
    return f"cost: an execution at most {words(whole)}{hosting} ({'; '.join(prices.sources)})"


def status_line(read_run: Callable[[], ExecutionResult], prices: Prices, caller: Caller) -> str:
    """Return in one line what an execution has cost; it is read only where a price is known."""
    if not prices.dollars:
        return f"cost: unknown, {_NO_PRICES}"
    whole = total(one.amount for one in spent(read_run(), prices, caller))
    return f"cost: {words(whole)} ({'; '.join(prices.sources)})"


def words(amount: Amount) -> str:
    """Write an amount; where something is unknown, what is known is a part of it."""
    if not amount.unknown:
        return _dollars(amount.dollars)
    if amount.dollars:
        return f"{_dollars(amount.dollars)} and what is unknown"
    return "unknown"


def estimate_text(lines: Iterable[Line], endpoints: Iterable[EndpointCost], prices: Prices) -> str:
    """Write what an execution and its endpoints will cost."""
    found, hosted = tuple(lines), tuple(endpoints)
    parts = [_lines(found)] if found else ["no step runs on instances"]
    if hosted:
        rows = [(c.endpoint, c.mode, c.what, words(c.month), c.remark) for c in hosted]
        parts.append(columns(("endpoint", "mode", "billed", "a month", ""), rows))
    amounts = [amount for line in found for amount in (line.likely, line.most)]
    parts.append("\n".join(_notes(found, total([*amounts, *(c.month for c in hosted)]), prices)))
    return "\n\n".join(parts)


def spent_text(rows: Iterable[Spent], prices: Prices) -> str:
    """Write what an execution has cost."""
    found = tuple(rows)
    whole = total(one.amount for one in found)
    table = [(one.step, one.what, _time(one.seconds), words(one.amount)) for one in found]
    table.append(("total", "", "", words(whole)))
    shown = columns(("step", "instances", "billed", "cost"), table)
    return "\n".join((shown, "", *_about(whole, prices)))


def _lines(lines: tuple[Line, ...]) -> str:
    rows = [
        (
            line.use.step,
            f"{line.use.count or '?'} x {line.use.price or line.use.component}",
            "spot" if line.use.spot else "",
            _time(line.expected),
            words(line.likely),
            _time(line.use.longest),
            words(line.most),
        )
        for line in lines
    ]
    likely, most = total(one.likely for one in lines), total(one.most for one in lines)
    rows.append(("total", "", "", "", words(likely), "", words(most)))
    return columns(("step", "instances", "", "expected", "cost", "at most", "cost"), rows)


def _notes(lines: tuple[Line, ...], whole: Amount, prices: Prices) -> Iterator[str]:
    if any(line.use.spot for line in lines):
        yield "spot: counted as on demand; what it saves is known after the run"
    yield from _about(whole, prices)


def _about(whole: Amount, prices: Prices) -> Iterator[str]:
    if whole.unknown:
        yield f"unknown: {', '.join(whole.unknown)}"
    if prices.sources:
        yield f"prices: {'; '.join(prices.sources)}; requests, transfer and S3 are not counted"
    else:
        yield f"prices: {_NO_PRICES}; or write them into prices.json"


def _time(seconds: float | None) -> str:
    return "unknown" if seconds is None else duration(seconds)


def _dollars(amount: float) -> str:
    return f"{amount:.2f} $" if amount >= 1 or not amount else f"{amount:.4f} $"
