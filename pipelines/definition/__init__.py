"""A pipeline definition JSON, ours or anybody's: its steps, what they need, every check of it."""

from pipelines.definition.dependencies import outline
from pipelines.definition.validator import check_definition

__all__ = ["check_definition", "outline"]
