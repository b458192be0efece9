"""The program behind `kind: validation`: Great Expectations suites over tables."""

from __future__ import annotations

from pipelines.programs import Declaration

DECLARATION = Declaration(
    python=(3, 10),  # of Great Expectations
    actions={"s3:PutObject": ("runs/",)},  # what a failed job is to keep
)
