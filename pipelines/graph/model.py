"""The graph: steps with what they refer to, in an order in which they can run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.graph.uses import Use
from pipelines.kinds.base.contract import Kind, Output
from pipelines.spec.model import PipelineSpec
from pipelines.spec.steps import StepSpec
from pipelines.steptypes import StepType, find


@frozen
class SpecBranch:
    """The side of a condition that a step stands in."""

    condition: str
    side: Literal["then", "else"]


@frozen
class Edge:
    """A step that another waits for, and the value in the document that says so."""

    source: str
    path: Path
    within: tuple[int, int] | None = None


@frozen
class Node:
    """One step of the spec.

    Args:
        name: its name.
        kind: its kind.
        step: its keys.
        uses: its references.
        edges: the steps it waits for, by reference, by `after`, and by its condition.
        branch: the side of a condition that it stands in; None at the top level.
        outputs: what others may refer to.
    """

    name: str
    kind: Kind
    step: Any
    uses: tuple[Use, ...]
    edges: tuple[Edge, ...]
    branch: SpecBranch | None
    outputs: Mapping[str, Output]

    @property
    def path(self) -> Path:
        """Where the step stands in the document."""
        return ("steps", self.name)

    @property
    def pipelines(self) -> tuple[str, ...]:
        """The suffixes of the further pipelines that it also stands in by itself."""
        return self.kind.stands_alone(self.name, self.step)

    @property
    def type(self) -> StepType:
        """What is known of the Type of the step that bears its name."""
        name = self.kind.type_of(self.step)
        return find(name) or StepType(name, request=None, describe=None)

    @property
    def spec(self) -> StepSpec:
        """The step with the keys that all kinds have."""
        step: StepSpec = self.step
        return step


@frozen
class Graph:
    """All steps of a pipeline.

    Args:
        spec: the pipeline.
        nodes: by name, in the document's order.
        order: names so that each comes after what it waits for; what stands in a cycle is left out.
        declared: names of all steps of the document, also of those that could not be read.
        unread: what of the document could not be read, as ("parameters", "epochs"); whoever
            refers to it is not to be told that it does not exist.
    """

    spec: PipelineSpec
    nodes: Mapping[str, Node]
    order: tuple[str, ...]
    declared: frozenset[str]
    unread: frozenset[Path]
