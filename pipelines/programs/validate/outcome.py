"""What came of an expectation: the value that the report, the page and the failure text share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.programs.validate.suites import COLUMN_KEYS, COLUMN_LIST_KEY

if TYPE_CHECKING:
    from pipelines.programs.validate.suites import Expectation, ExpectationSeverity

SAMPLES = 20  # values that do not meet an expectation, kept per expectation


@dataclass(frozen=True)
class ExpectationOutcome:
    """How one expectation ended.

    Args:
        expectation: the entry of the suite.
        success: whether the data meets it.
        observed: the observed value of a whole-column or whole-table expectation, JSON.
        unexpected_count: rows that do not meet it; None for whole-column expectations.
        unexpected_percent: those of 100 rows with a value, 0 to 100; None as above.
        samples: at most SAMPLES values of such rows, JSON.
        reason: why it could not be evaluated, else None.
    """

    expectation: Expectation
    success: bool
    observed: object = None
    unexpected_count: int | None = None
    unexpected_percent: float | None = None
    samples: tuple[object, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class TableOutcome:
    """A table and how its suite's expectations ended, in the order of the suite.

    Args:
        name: the name of the input.
        suite: the suite's file.
        rows: the number of rows.
        files: the number of files.
        outcomes: one per expectation.
        error: why the table could not be read; then there are no outcomes.
    """

    name: str
    suite: str
    rows: int
    files: int
    outcomes: tuple[ExpectationOutcome, ...]
    error: str | None = None

    def fails(self, fail_on: ExpectationSeverity) -> bool:
        """Return whether this table fails the step."""
        return self.error is not None or bool(self.broken(fail_on))

    def broken(self, fail_on: ExpectationSeverity) -> list[ExpectationOutcome]:
        """Return what fails the step: not met, and at least as grave as `fail_on`."""
        return [
            outcome
            for outcome in self.outcomes
            if not outcome.success and outcome.expectation.severity >= fail_on
        ]


def in_words(expectation: Expectation) -> str:
    """Return an expectation in words: `column carrier values to be in set (value_set: ["UA"])`."""
    words = expectation.type.removeprefix("expect_").replace("_", " ")
    columns = ", ".join(expectation.columns)
    plural = "columns" if len(expectation.columns) > 1 else "column"
    subject = f"{plural} {columns}: {words.removeprefix('column ')}" if columns else words
    rest = [
        f"{key}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in expectation.kwargs.items()
        if key not in (*COLUMN_KEYS, COLUMN_LIST_KEY) and value is not None
    ]
    return f"{subject} ({', '.join(rest)})" if rest else subject
