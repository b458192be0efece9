"""A page of a table: the rows that a list operation returns, and no other, are read."""

from __future__ import annotations

from pipelines.frozen import frozen
from pipelines.json_types import Json


@frozen
class PageQuery:
    """Which rows of a table are read, in which order.

    Args:
        conditions: SQL with one `?` each → its value; a value that is None sets no condition.
        order: columns, or expressions, that are unique together.
        descending: their order.
        last: their values in the last row of the page before; None for the first page.
        most: how many rows are read.
    """

    conditions: tuple[tuple[str, Json], ...]
    order: tuple[str, ...]
    descending: bool
    last: tuple[Json, ...] | None
    most: int

    def select(self, columns: str, table: str) -> tuple[str, tuple[Json, ...]]:
        """Return the SELECT and its values."""
        conditions = [(sql, (value,)) for sql, value in self.conditions if value is not None]
        if self.last is not None:
            holes = ", ".join("?" * len(self.last))
            sign = "<" if self.descending else ">"
            conditions.append((f"({', '.join(self.order)}) {sign} ({holes})", self.last))
        where = " AND ".join(sql for sql, _ in conditions) or "1"
        direction = "DESC" if self.descending else "ASC"
        order = ", ".join(f"{column} {direction}" for column in self.order)
        query = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608 - our own names
        return query, (*(value for _, values in conditions for value in values), self.most)
