"""YAML's events → a tree of nodes with places, and what YAML allows but we do not.

The events come one by one, so that depth and aliases are bounded before anything grows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yaml import events as yaml_events

from pipelines.diagnostics.model import Diagnostic, Path, Severity, Span
from pipelines.document import extents, keys
from pipelines.document.extents import Extent, Mark
from pipelines.document.nodes import (
    AliasNode,
    MappingNode,
    Node,
    NodeFrame,
    ScalarNode,
    SequenceNode,
)
from pipelines.document.problem import Before, too_deep
from pipelines.document.scalars import resolve, too_long
from pipelines.document.surrogates import restored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.document.model import DocumentLimits

_SURROGATE = "[\ud800-\udfff]"


class StoppedError(Exception):
    """The text breaks a limit: reading it further is of no use. Never leaves this package."""


class Composer:
    r"""Reads one text's events; `findings` grow while it does.

    Args:
        text: the text as the user wrote it, its line breaks all `\\n`.
        source: the file's name.
        limits: what the text may be at most.
        pairs: whether the events come from a text with hidden surrogates.
    """

    def __init__(self, text: str, source: str, limits: DocumentLimits, *, pairs: bool) -> None:
        self.findings: list[Diagnostic] = []
        self._last: ScalarNode | None = None
        self._text = text
        self._source = source
        self._limits = limits
        self._pairs = pairs
        self._stack: list[NodeFrame] = []
        self._anchors: dict[str, Node | None] = {}
        self._roots: list[Node] = []
        self._merged = 0

    def compose(self, events: Iterable[yaml_events.Event]) -> Node | None:
        """Return the tree of the text's one document; None where there is none.

        Raises:
            StoppedError: a limit is broken; its finding is among `findings`.
            yaml.YAMLError: the text is no YAML.
        """
        documents = 0
        for event in events:
            match event:
                case yaml_events.ScalarEvent():
                    self._scalar(event)
                case yaml_events.MappingStartEvent() | yaml_events.SequenceStartEvent():
                    self._open(event)
                case yaml_events.MappingEndEvent() | yaml_events.SequenceEndEvent():
                    self._close(event)
                case yaml_events.AliasEvent():
                    self._alias(event)
                case yaml_events.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        self._another_document(event)
                case _:
                    pass
        return self._roots[0] if self._roots else None

    @property
    def before(self) -> Before:
        """Return what an error of the parser is explained with."""
        opened = [frame.node.extent for frame in self._stack if frame.node.flow]
        return Before(self._last, opened[-1] if opened else None)

    def _report(self, code: str, message: str, extent: Extent, remedy: str | None) -> None:
        """Add a finding at a place, with the path that is being read."""
        self.findings.append(
            Diagnostic(
                code, message, Severity.ERROR, Span(self._source, *extent), self._path(), remedy
            )
        )

    def _path(self) -> Path:
        path: list[str | int] = []
        for frame in self._stack:
            if isinstance(frame.node, SequenceNode):
                path.append(len(frame.node.items))
            elif frame.name is not None:
                path.append(frame.name)
        return tuple(path)

    def _another_document(self, event: yaml_events.DocumentStartEvent) -> None:
        self._report(
            "SP104",
            "a second document begins here",
            extents.between(*extents.marks(event)),
            "one file holds one pipeline: move this part to a file of its own, or remove `---`",
        )
        raise StoppedError

    def _refuse_tag(self, start: Mark) -> None:
        index = self._text.find("!", start.index)
        written = self._text[index:].split(None, 1)[0].rstrip(",]}")
        self._report(
            "SP106",
            f"the tag `{written}` is not allowed",
            extents.character(self._text, index, len(written)),
            'write the value without a tag, or in quotes if it begins with "!"',
        )

    def _scalar(self, event: yaml_events.ScalarEvent) -> None:
        if event.tag is not None:
            self._refuse_tag(extents.marks(event)[0])
        style = event.style or "plain"
        text: str = event.value
        if self._pairs:
            start, end = extents.marks(event)
            text = restored(text, style, self._text[start.index : end.index])
        extent = self._written(event, style)
        if style == "plain" and len(text) > 1 and too_long(text):
            self._report(
                "SP108",
                f"a number of {len(text)} digits is too long",
                extent,
                "write it in quotes if it is meant as text",
            )
        if not text.isascii() and re.search(_SURROGATE, text):
            self._report(
                "SP114",
                "half of a surrogate pair is not a character",
                extent,
                "write the whole character, or its code as `\\U0001f600`",
            )
        value = resolve(text) if style == "plain" else text
        node = ScalarNode(value, extent, style)
        self._last = node
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        if self._stack and self._stack[-1].wants_key:
            keys.scalar_key(self._report, self._stack[-1], node, text)
        else:
            self._add(node)

    def _written(self, event: yaml_events.ScalarEvent, style: str) -> Extent:
        start, end = extents.marks(event)
        if style == "plain" and event.value == "":
            return self._nothing(start)
        if event.anchor is not None or event.tag is not None:
            extent = extents.without_properties(self._text, start, end)
            if style not in ("|", ">"):
                return extent
            last = extents.without_space_after(self._text, start, end)
            return extent._replace(end_line=last.end_line, end_column=last.end_column)
        if style in ("|", ">"):
            return extents.without_space_after(self._text, start, end)
        return extents.between(start, end)

    def _nothing(self, mark: Mark) -> Extent:
        """Return what to underline for a value that is left out: its key, or the list's dash."""
        if self._stack and self._stack[-1].key is not None:
            return self._stack[-1].key
        column = max(mark.column, 1)
        return Extent(mark.line + 1, column, mark.line + 1, column + 1)

    def _open(self, event: yaml_events.MappingStartEvent | yaml_events.SequenceStartEvent) -> None:
        if event.tag is not None:
            self._refuse_tag(extents.marks(event)[0])
        extent = extents.between(*extents.marks(event))
        if event.anchor is not None:
            extent = extents.without_properties(self._text, *extents.marks(event))
        if len(self._stack) >= self._limits.depth:
            self._report(*too_deep(self._limits.depth, extent))
            raise StoppedError
        make = MappingNode if isinstance(event, yaml_events.MappingStartEvent) else SequenceNode
        self._stack.append(NodeFrame(make(extent, bool(event.flow_style)), anchor=event.anchor))
        if event.anchor is not None:
            self._anchors[event.anchor] = None

    def _close(self, event: yaml_events.MappingEndEvent | yaml_events.SequenceEndEvent) -> None:
        frame = self._stack.pop()
        node = frame.node
        above = self._stack[-1] if self._stack else None
        if node.flow:
            end = extents.marks(event)[1]
            node.extent = node.extent._replace(end_line=end.line + 1, end_column=end.column + 1)
        elif above is not None and above.key is not None:
            node.extent = above.key
        else:
            node.extent = keys.first_line(node)
        if isinstance(node, MappingNode):
            self._merge(node, frame.merges)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = node
        if above is not None and above.wants_key:
            keys.collection_key(self._report, above, node)
        else:
            self._add(node)

    def _merge(self, node: MappingNode, merges: list[MappingNode]) -> None:
        for merged in merges:
            for name, entry in merged.entries.items():
                if name not in node.entries:
                    node.entries[name] = keys.merged(entry)
                    self._merged += 1
        if self._merged > self._limits.alias_nodes:
            self._report(
                "SP107",
                f"merge keys bring in more than {self._limits.alias_nodes} values",
                node.extent,
                "write fewer of them",
            )
            raise StoppedError

    def _alias(self, event: yaml_events.AliasEvent) -> None:
        extent = extents.between(*extents.marks(event))
        name = event.anchor or ""
        target = self._anchors.get(name)
        if target is None:
            inside = name in self._anchors
            self._report(
                "SP107",
                f"the alias `*{name}` {'contains itself' if inside else 'has no anchor'}",
                extent,
                "an alias repeats a value that is complete: remove it from that value"
                if inside
                else f"mark the value to repeat, above this line, with `&{name}`; "
                "or put the text in quotes if no alias is meant",
            )
            target = ScalarNode(None, extent, "*")
        node = AliasNode(target, extent)
        if self._stack and self._stack[-1].wants_key:
            keys.alias_key(self._report, self._stack[-1], node)
        else:
            self._add(node)

    def _add(self, node: Node) -> None:
        """Put a value into its place in the collection that is being read."""
        if not self._stack:
            self._roots.append(node)
            return
        frame = self._stack[-1]
        if isinstance(frame.node, SequenceNode):
            frame.node.items.append(node)
            return
        keys.take_value(self._report, frame, node)
