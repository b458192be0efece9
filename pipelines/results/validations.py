"""What validations found: the tables of their reports, expectation by expectation."""

from __future__ import annotations

from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject


@frozen
class ValidatedTable:
    """One table of a validation report.

    Args:
        name: the table's name: the input of the step.
        rows: how many it has; None where it could not be read.
        error: why it could not be read; None where it could.
        expectations: each as the report has it: `expectation`, `success`, `severity`, `observed`,
            `unexpected_count`, `unexpected_percent`, `reason`.
    """

    name: str
    rows: int | None
    error: str | None
    expectations: tuple[JsonObject, ...]

    @property
    def passed(self) -> int:
        """How many expectations were met."""
        return sum(one.get("success") is True for one in self.expectations)


def validated_tables(report: Json) -> tuple[ValidatedTable, ...]:
    """Read the tables of a validation's report; none where it is another report."""
    tables = report.get("tables") if isinstance(report, dict) else None
    if not isinstance(tables, dict) or not all(map(_is_table, tables.values())):
        return ()
    return tuple(
        ValidatedTable(name, table.get("rows"), table.get("error"), tuple(table["expectations"]))
        for name, table in tables.items()
    )


def _is_table(table: Json) -> bool:
    expectations = table.get("expectations") if isinstance(table, dict) else None
    return isinstance(expectations, list) and all(isinstance(one, dict) for one in expectations)
