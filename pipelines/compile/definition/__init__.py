"""Validates any pipeline definition JSON, ours or somebody else's (codes SP501 to SP549)."""

from pipelines.compile.definition.validator import check_definition

__all__ = ["check_definition"]
