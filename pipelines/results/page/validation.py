"""Reports of validations → tables, expectation by expectation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pipelines.json_types import Json, JsonObject
from pipelines.results.page.markup import Html, element, join, table
from pipelines.results.validations import ValidatedTable, validated_tables

_LONGEST = 200


def validation(reports: Mapping[str, Json]) -> Html:
    """Write each table of each validation; one with a failed expectation stands open."""
    return join(
        _table(address, one)
        for address, report in reports.items()
        for one in validated_tables(report)
    )


def _table(address: str, found: ValidatedTable) -> Html:
    failed = len(found.expectations) - found.passed
    counted = "" if found.rows is None else f", {found.rows:,} rows"
    said = f"{found.name}{counted}: {found.passed} of {len(found.expectations)} passed"
    rows = list(_rows(found))
    header = ("Expectation", "Result", "Severity", "Observed")
    content = table(f"Expectations of {found.name} ({address})", header, rows)
    error = element("p", found.error, class_="bad") if found.error else Html("")
    tone = "bad" if failed or found.error else "good"
    summary = element("summary", element("span", said, class_=tone))
    return element("details", summary, error, content, open="" if tone == "bad" else None)


def _rows(found: ValidatedTable) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a table, what failed first."""
    for one in sorted(found.expectations, key=lambda each: each.get("success") is True):
        passed = one.get("success") is True
        result = element(
            "span", "passed" if passed else "failed", class_="good" if passed else "bad"
        )
        yield str(one.get("expectation", "")), result, str(one.get("severity", "")), _observed(one)


def _observed(expectation: JsonObject) -> str:
    """Write what was observed, and how much of it was unexpected."""
    parts = []
    observed = expectation.get("observed")
    if observed is not None:
        written = observed if isinstance(observed, str) else json.dumps(observed)
        parts.append(written if len(written) <= _LONGEST else f"{written[:_LONGEST]}…")
    if expectation.get("unexpected_count"):
        percent = expectation.get("unexpected_percent")
        share = f" ({percent:.3g} %)" if isinstance(percent, int | float) else ""
        parts.append(f"{expectation['unexpected_count']} unexpected{share}")
    if expectation.get("reason"):
        parts.append(str(expectation["reason"]))
    return "; ".join(parts)
