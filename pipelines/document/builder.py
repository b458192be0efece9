"""A tree of nodes → plain data and the place of every path."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pipelines.diagnostics.model import Diagnostic, Path, Severity, Span
from pipelines.document.composer import StoppedError
from pipelines.document.model import DocumentLimits, TextPosition
from pipelines.document.nodes import AliasNode, MappingNode, Node, ScalarNode

if TYPE_CHECKING:
    from pipelines.document.extents import Extent
    from pipelines.json_types import Json

Spans: TypeAlias = dict[Path, TextPosition]


class Builder:
    """Builds the data of one document; `spans` fill while it does.

    Args:
        source: the file's name.
        limits: what may come out of aliases at most.
    """

    def __init__(self, source: str, limits: DocumentLimits) -> None:
        self.spans: Spans = {}
        self.findings: list[Diagnostic] = []
        self._source = source
        self._limits = limits
        self._repeated = 0

    def build(
        self, node: Node, path: Path = (), key: Extent | None = None, *, repeated: bool = False
    ) -> Json:
        """Return the data of a node at a path.

        Args:
            node: what to build.
            path: where it stands in the document.
            key: where its key is written.
            repeated: whether an alias or a merge key brought it here.

        Raises:
            StoppedError: a limit is broken; its finding is among `findings`.
        """
        value, style = node.extent, ""
        if isinstance(node, AliasNode):
            repeated, style, node = True, "*", node.target
        if repeated:
            self._count(path, value)
        if isinstance(node, ScalarNode):
            self.spans[path] = TextPosition(key, value, style or node.style)
            return node.value
        self.spans[path] = TextPosition(key, value, style)
        if isinstance(node, MappingNode):
            return {
                name: self.build(
                    entry.value, (*path, name), entry.extent, repeated=repeated or entry.merged
                )
                for name, entry in node.entries.items()
            }
        assert not isinstance(node, AliasNode)  # noqa: S101 - an alias never stands for an alias
        return [
            self.build(item, (*path, index), repeated=repeated)
            for index, item in enumerate(node.items)
        ]

    def _count(self, path: Path, extent: Extent) -> None:
        self._repeated += 1
        problem = None
        if self._repeated > self._limits.alias_nodes:
            problem = f"aliases repeat more than {self._limits.alias_nodes} values"
        elif len(path) > self._limits.depth:
            problem = f"aliases nest more than {self._limits.depth} levels deep"
        if problem is None:
            return
        span = Span(self._source, *extent)
        remedy = "write fewer aliases, or none inside of values that are themselves repeated"
        self.findings.append(Diagnostic("SP107", problem, Severity.ERROR, span, path, remedy))
        raise StoppedError
