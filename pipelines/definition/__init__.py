"""A pipeline definition JSON, ours or anybody's: its steps, their order, and every check of it."""

from pipelines.definition.order import Step, outline
from pipelines.definition.validator import check_definition

__all__ = ["Step", "check_definition", "outline"]
