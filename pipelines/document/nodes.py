"""What stands between the text's events and plain data: a tree with places and aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.document.extents import Extent
    from pipelines.document.scalars import Scalar

# Those that change are written out: a dataclass would compile its constructor at every start.


@frozen
class ScalarNode:
    """A scalar; `extent` is its text without anchor, empty where nothing is written."""

    value: Scalar
    extent: Extent
    style: str


@frozen
class AliasNode:
    """A place that repeats another node."""

    target: Node
    extent: Extent


class SequenceNode:
    """A list; `flow` says that it is written in brackets, so that `extent` has a true end."""

    __slots__ = ("extent", "flow", "items")

    def __init__(self, extent: Extent, flow: bool) -> None:  # noqa: FBT001 - as the event has it
        self.extent = extent
        self.flow = flow
        self.items: list[Node] = []


@frozen
class Entry:
    """A key, where it is written, and its value; `merged` if a merge key brought it in."""

    key: str
    extent: Extent
    value: Node
    merged: bool = False


class MappingNode:
    """A mapping, its keys unique."""

    __slots__ = ("entries", "extent", "flow")

    def __init__(self, extent: Extent, flow: bool) -> None:  # noqa: FBT001 - as the event has it
        self.extent = extent
        self.flow = flow
        self.entries: dict[str, Entry] = {}


class NodeFrame:
    """A collection that is being read; of a mapping also the key whose value comes next."""

    __slots__ = ("anchor", "key", "merges", "merging", "name", "node", "seen")

    def __init__(self, node: Collection, anchor: str | None) -> None:
        self.node = node
        self.key: Extent | None = None
        self.name: str | None = None
        self.merging = False
        self.anchor = anchor
        self.merges: list[MappingNode] = []
        self.seen: dict[str, Extent] = {}

    @property
    def wants_key(self) -> bool:
        """Return whether the next node is a key."""
        return self.key is None and isinstance(self.node, MappingNode)


Node: TypeAlias = ScalarNode | AliasNode | SequenceNode | MappingNode
Collection: TypeAlias = SequenceNode | MappingNode
