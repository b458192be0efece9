"""Outcomes → report.json, and the text of a failed step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipelines.programs.validate.outcome import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.programs.validate.outcome import ExpectationOutcome, TableOutcome
    from pipelines.programs.validate.suites import ExpectationSeverity

_TEXT_BYTES = 960  # the platform keeps 1 KB (FACTS 11.5), the runtime may put words before it
_LINE_BYTES = 420
_LAST_BYTES = 320
_SHOWN_SAMPLES = 5


def build_report(tables: Sequence[TableOutcome], fail_on: ExpectationSeverity) -> dict[str, object]:
    """Build the report.

    Shape: `{success, fail_on, statistics: {tables, rows, expectations, successful, failed,
    success_percent, critical, warning, info}, tables: {NAME: {success, suite, rows, files, error,
    expectations: [{number, expectation, type, column, severity, success, observed,
    unexpected_count, unexpected_percent, samples, reason}]}}}`. `success` says whether the step
    passes; `critical`, `warning` and `info` count what was not met. A path such as
    `steps.check.report.statistics.success_percent` reads it.
    """
    outcomes = [outcome for table in tables for outcome in table.outcomes]
    failed = [outcome for outcome in outcomes if not outcome.success]
    severities = [outcome.expectation.severity.name.lower() for outcome in failed]
    return {
        "success": not any(table.fails(fail_on) for table in tables),
        "fail_on": fail_on.name.lower(),
        "statistics": {
            "tables": len(tables),
            "rows": sum(table.rows for table in tables),
            "expectations": len(outcomes),
            "successful": len(outcomes) - len(failed),
            "failed": len(failed),
            "success_percent": round(100 * (1 - len(failed) / max(1, len(outcomes))), 2),
            **{name: severities.count(name) for name in ("critical", "warning", "info")},
        },
        "tables": {
            table.name: {
                "success": not table.fails(fail_on),
                "suite": table.suite,
                "rows": table.rows,
                "files": table.files,
                "error": table.error,
                "expectations": [_entry(outcome) for outcome in table.outcomes],
            }
            for table in tables
        },
    }


def failure_text(tables: Sequence[TableOutcome], fail_on: ExpectationSeverity, kept: str) -> str:
    """Return why the step fails: tables that cannot be read, then the gravest expectations.

    Args:
        tables: all tables; at least one of them fails the step.
        fail_on: the least severity that does.
        kept: where report and docs are; the last line.

    Returns:
        At most 1 KB of UTF-8.
    """
    broken = [(table, outcome) for table in tables for outcome in table.broken(fail_on)]
    broken.sort(key=lambda pair: -pair[1].expectation.severity)  # stable: else the suite's order
    plural = "s" if len(broken) > 1 else ""
    lines = [cut(table.error, _LINE_BYTES) for table in tables if table.error is not None]
    if broken:
        lines.append(f"The data does not meet {len(broken)} expectation{plural}.")
    lines.extend(cut(f"- {t.name}: {describe(o)}", _LINE_BYTES) for t, o in broken)
    last = cut(kept, _LAST_BYTES)
    for count in range(len(lines), 0, -1):
        more = [] if count == len(lines) else [f"… and {len(lines) - count} more"]
        text = "\n".join([*lines[:count], *more, last])
        if len(text.encode()) <= _TEXT_BYTES:
            return text
    return cut("\n".join([lines[0], last]), _TEXT_BYTES)


def describe(outcome: ExpectationOutcome) -> str:
    """Describe an expectation that was not met, with its counts and samples, in one line."""
    expectation = outcome.expectation
    parts = [f"{in_words(expectation)} [{expectation.severity.name.lower()}]"]
    if outcome.reason is not None:
        parts.append(outcome.reason)
    if outcome.unexpected_count is not None:
        percent = outcome.unexpected_percent
        share = "" if percent is None else f" ({percent:.4g} %)"
        rows = "row does not" if outcome.unexpected_count == 1 else "rows do not"
        parts.append(f"{outcome.unexpected_count} {rows}{share}")
    elif outcome.reason is None:
        parts.append(f"observed {json.dumps(outcome.observed, ensure_ascii=False)}")
    shown = list(dict.fromkeys(json.dumps(v, ensure_ascii=False) for v in outcome.samples))
    if shown:
        more = ", …" if len(shown) > _SHOWN_SAMPLES else ""
        parts.append(f"such as {', '.join(shown[:_SHOWN_SAMPLES])}{more}")
    return "; ".join(parts)


def cut(text: str, size: int) -> str:
    """Shorten a text to so many bytes of UTF-8, whole characters, an ellipsis at the end."""
    data = text.encode()
    if len(data) <= size:
        return text
    return data[: size - 3].decode(errors="ignore") + "…"


def _entry(outcome: ExpectationOutcome) -> dict[str, object]:
    expectation = outcome.expectation
    return {
        "number": expectation.number,
        "expectation": in_words(expectation),
        "type": expectation.type,
        "column": ", ".join(expectation.columns) or None,
        "severity": expectation.severity.name.lower(),
        "success": outcome.success,
        "observed": outcome.observed,
        "unexpected_count": outcome.unexpected_count,
        "unexpected_percent": outcome.unexpected_percent,
        "samples": list(outcome.samples),
        "reason": outcome.reason,
    }
