"""The program behind the packaging step of `kind: registration` (decision 3)."""

from __future__ import annotations

from pipelines.programs import Declaration

DECLARATION = Declaration(
    python=(3, 7),  # of the serving images that it runs in
    vendors="requirements",
)
