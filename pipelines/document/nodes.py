"""What stands between the text's events and plain data: a tree with places and aliases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pipelines.document.extents import Extent
    from pipelines.document.scalars import Scalar

# No two nodes are compared and none is shown: less has to be compiled at every start.


@dataclass(slots=True, eq=False, repr=False)
class ScalarNode:
    """A scalar; `extent` is its text without anchor, empty where nothing is written."""

    value: Scalar
    extent: Extent
    style: str


@dataclass(slots=True, eq=False, repr=False)
class AliasNode:
    """A place that repeats another node."""

    target: Node
    extent: Extent


@dataclass(slots=True, eq=False, repr=False)
class SequenceNode:
    """A list; `flow` says that it is written in brackets, so that `extent` has a true end."""

    extent: Extent
    flow: bool
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Entry:
    """A key, where it is written, and its value; `merged` if a merge key brought it in."""

    key: str
    extent: Extent
    value: Node
    merged: bool = False


@dataclass(slots=True, eq=False, repr=False)
class MappingNode:
    """A mapping, its keys unique."""

    extent: Extent
    flow: bool
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass(slots=True, eq=False, repr=False)
class NodeFrame:
    """A collection that is being read; of a mapping also the key whose value comes next."""

    node: Collection
    key: Extent | None = None
    name: str | None = None
    merging: bool = False
    anchor: str | None = None
    merges: list[MappingNode] = field(default_factory=list)
    seen: dict[str, Extent] = field(default_factory=dict)

    @property
    def wants_key(self) -> bool:
        """Return whether the next node is a key."""
        return self.key is None and isinstance(self.node, MappingNode)


Node: TypeAlias = ScalarNode | AliasNode | SequenceNode | MappingNode
Collection: TypeAlias = SequenceNode | MappingNode
