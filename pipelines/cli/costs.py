"""Costs as text, and the lines about them in `plan` and `status`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pipelines.cli.progress.words import duration
from pipelines.cli.project import home_of
from pipelines.cli.tables import columns
from pipelines.compile.model import Compiled
from pipelines.cost.endpoints import EndpointCost, endpoint_costs
from pipelines.cost.estimate import NO_RUN, Amount, Line, estimate, total
from pipelines.cost.prices import Prices, currency_of, known_prices
from pipelines.cost.spent import Spent, spent
from pipelines.cost.usage import Use, uses
from pipelines.definition.named import read
from pipelines.errors import UsageError
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.results.run import ExecutionResult

_NO_PRICES = "no price is known: `pipelines cost --refresh` retrieves them"
_NOT_COUNTED = "data transfer, S3, logs and Lambda are not counted"


@frozen
class PlannedCost:
    """What a plan says of costs.

    Args:
        execution: the most that an execution costs.
        before: what it has been at most; None where the pipeline is new.
        endpoints: what the endpoints cost in a month; None where none are deployed.
        prices: by which prices.
        problem: why no price could be read; None where they could.
    """

    execution: Amount
    before: Amount | None
    endpoints: Amount | None
    prices: Prices
    problem: str | None = None

    @property
    def text(self) -> str:
        """All of it in one line."""
        if not self.prices.each:
            return f"unknown, {self.problem or _NO_PRICES}"
        each = self.endpoints
        hosting = "" if each is None else f"; its endpoints cost {words(each, self.prices)} a month"
        unknown = _unknown(total(one for one in (self.execution, each) if one is not None))
        said = f"{words(self.execution, self.prices)}{self._was}{hosting}{unknown}"
        return f"the most for an execution is {said} ({'; '.join(self.prices.sources)})"

    @property
    def _was(self) -> str:
        """What an execution cost at most until now, where that is something else."""
        if self.before is None or self.before == self.execution:
            return ""
        return f" (until now {words(self.before, self.prices)})"

    @property
    def document(self) -> JsonObject:
        """All of it for machines."""
        return {
            "execution_at_most": amount_json(self.execution),
            "execution_until_now": None if self.before is None else amount_json(self.before),
            "endpoints_a_month": None if self.endpoints is None else amount_json(self.endpoints),
            "currency": self.prices.currency,
            "sources": list(self.prices.sources),
        }


def planned_cost(
    compiled: Compiled, file: Path, region: str, deployed: JsonObject | None
) -> PlannedCost:
    """Return what an execution costs at most, and its endpoints in a month.

    Args:
        compiled: what is planned.
        file: the spec file.
        region: where the prices hold.
        deployed: the definition that it replaces; None without one.
    """
    prices, problem = _prices(file, region)
    whole = _most(read(compiled.definition), prices)
    before = None if deployed is None else _most(deployed, prices)
    months = [one.month for one in endpoint_costs(compiled, prices)]
    return PlannedCost(whole, before, total(months) if months else None, prices, problem)


def _most(definition: JsonObject, prices: Prices) -> Amount:
    return total(line.most for line in estimate(uses(definition), prices, {}))


def status_line(
    read_run: Callable[[], ExecutionResult], file: Path, region: str, caller: Caller
) -> str:
    """Return in one line what an execution has cost; it is read only where a price is known."""
    prices, problem = _prices(file, region)
    if not prices.each:
        return f"cost: unknown, {problem or _NO_PRICES}"
    try:
        whole = total(one.amount for one in spent(read_run(), prices, caller))
    except CallRefusedError as error:
        return f"cost: unknown, {error.problem}"
    return f"cost: {words(whole, prices)}{_unknown(whole)} ({'; '.join(prices.sources)})"


def _prices(file: Path, region: str) -> tuple[Prices, str | None]:
    """Return what is known; a file that is wrong is no reason to show no plan and no status."""
    try:
        return known_prices(home_of(file), region), None
    except UsageError as error:
        return Prices(currency=currency_of(region)), error.problem


def words(amount: Amount, prices: Prices) -> str:
    """Write an amount; where something is unknown, it is at least what is known."""
    if not amount.unknown:
        return prices.money(amount.known)
    return f"at least {prices.money(amount.known)}" if amount.known else "unknown"


def _unknown(amount: Amount) -> str:
    return f"; unknown: {', '.join(amount.unknown)}" if amount.unknown else ""


def amount_json(amount: Amount) -> JsonObject:
    """Write an amount for machines: null, and not 0, where nothing of it is known."""
    known = amount.known if amount.known or not amount.unknown else None
    return {"known": known, "unknown": list(amount.unknown)}


def estimate_text(lines: Iterable[Line], endpoints: Iterable[EndpointCost], prices: Prices) -> str:
    """Write what an execution and its endpoints will cost."""
    found, hosted = tuple(lines), tuple(endpoints)
    parts = [_lines(found, prices)] if found else ["no step runs on instances"]
    if hosted:
        rows = [(c.endpoint, c.mode, c.what, words(c.month, prices), c.remark) for c in hosted]
        parts.append(columns(("endpoint", "mode", "billed", "a month", ""), rows))
    amounts = [amount for line in found for amount in (line.likely, line.most)]
    parts.append("\n".join(_notes(found, total([*amounts, *(c.month for c in hosted)]), prices)))
    return "\n\n".join(parts)


def spent_text(rows: Iterable[Spent], prices: Prices) -> str:
    """Write what an execution has cost."""
    found = tuple(rows)
    whole = total(one.amount for one in found)
    table = [
        (one.step, one.what, _time(one.seconds), words(one.amount, prices), _saved(one))
        for one in found
    ]
    table.append(("total", "", "", words(whole, prices), ""))
    shown = columns(("step", "instances", "billed", "cost", ""), table)
    return "\n".join((shown, "", *_about(whole, prices)))


def _saved(one: Spent) -> str:
    """Say what spot has saved: a share of the time that the instances were used."""
    if not one.saved or one.seconds is None:
        return ""
    whole = one.saved + one.seconds
    return f"spot saved {one.saved / whole:.0%} of {_time(whole)}"


def _lines(lines: tuple[Line, ...], prices: Prices) -> str:
    rows = [
        (
            line.use.step,
            _what(line.use),
            "spot" if line.use.spot else "",
            _time(line.expected),
            words(line.likely, prices),
            _most_time(line.use),
            words(line.most, prices),
        )
        for line in lines
    ]
    likely, most = total(one.likely for one in lines), total(one.most for one in lines)
    rows.append(("total", "", "", "", words(likely, prices), "", words(most, prices)))
    return columns(("step", "instances", "", "expected", "cost", "at most", "cost"), rows)


def _what(use: Use) -> str:
    """Name what is billed, with what may be taken instead."""
    if use.apart:
        return use.component
    named = (one.price or f"{one.component}, its type unknown" for one in (use, *use.instead))
    return f"{use.count or '?'} x {' or '.join(dict.fromkeys(named))}"


def _most_time(use: Use) -> str:
    tried = "" if use.attempts == 1 or use.longest is None else f" x {use.attempts or '?'} attempts"
    return f"{_time(use.longest)}{tried}"


def _notes(lines: tuple[Line, ...], whole: Amount, prices: Prices) -> Iterator[str]:
    if any(line.use.spot for line in lines):
        yield "spot: counted as on demand; what it saves is known after the run"
    yield from _about(whole, prices)


def _about(whole: Amount, prices: Prices) -> Iterator[str]:
    yield from _unknown_lines(whole.unknown)
    if prices.sources:
        yield f"prices: {'; '.join(prices.sources)}; {_NOT_COUNTED}"
    else:
        yield f"prices: {_NO_PRICES}; or write them into prices.json"


def _unknown_lines(unknown: Iterable[str]) -> Iterator[str]:
    """Write what is unknown: times, prices, and what else there is."""
    times = [one.removeprefix(NO_RUN) for one in unknown if one.startswith(NO_RUN)]
    others = [one for one in unknown if not one.startswith(NO_RUN)]
    sorts = {
        "unknown times, since no run has had these steps": times,
        "unknown prices": [one for one in others if "/" in one],
        "unknown": [one for one in others if "/" not in one],
    }
    yield from (f"{title}: {', '.join(found)}" for title, found in sorts.items() if found)


def _time(seconds: float | None) -> str:
    return "unknown" if seconds is None else duration(seconds)
