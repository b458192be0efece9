"""The program behind the step `<name>-sample` of `kind: registration`."""

from __future__ import annotations

from pipelines.programs import Declaration

DECLARATION = Declaration(python=(3, 7))  # of the serving images that it runs in
