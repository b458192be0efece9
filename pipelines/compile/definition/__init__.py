"""Validates any pipeline definition JSON, ours or somebody else's (codes SP501 to SP549)."""

from pipelines.compile.definition.order import Step, outline
from pipelines.compile.definition.validator import check_definition

__all__ = ["Step", "check_definition", "outline"]
