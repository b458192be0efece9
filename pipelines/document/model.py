"""What the loader returns: plain data, and for each value the place where it was written."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from pipelines.diagnostics.model import Diagnostic, Finding, Path, Span
from pipelines.diagnostics.sentences import on_one_line
from pipelines.document.extents import Extent
from pipelines.document.offsets import Char, decoded, part_of
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.json_types import Json, JsonObject


@frozen
class TextPosition:
    """Where one value stands.

    Args:
        key: its key; None for list items and for the whole document.
        value: what to underline for the value: a scalar or a flow collection as written,
            of a block collection its key, or its first line where it has no key.
        style: how a scalar is written: `'` `"` `|` `>`, `plain`; `*` an alias, "" a collection.
    """

    key: Extent | None
    value: Extent
    style: str


@frozen
class DocumentLimits:
    """What a text may be at most.

    Args:
        size: of the whole text, in bytes of UTF-8.
        depth: of mappings and lists inside one another.
        alias_nodes: of values that come out of aliases and merge keys.
    """

    size: int = 1 << 20
    depth: int = 64
    alias_nodes: int = 100_000


@frozen
class Document:
    r"""A text as plain data, with the place of every key and value.

    Args:
        data: the top mapping: dict, list, str, int, float, bool and None, nothing else.
        source: the file's name as the user wrote it.
        text: the file's text, its line breaks all `\\n`.
        spans: the place of each path; `()` is the whole document.
        added: the keys that an environment brought and the document alone has not.
    """

    data: JsonObject
    source: str
    text: str
    spans: Mapping[Path, TextPosition]
    added: frozenset[Path] = frozenset()
    _lines: list[str] = field(default_factory=list, init=False)
    _decoded: dict[TextPosition, list[Char] | None] = field(default_factory=dict, init=False)
    _entries: dict[Path, dict[str, int]] = field(default_factory=dict, init=False)

    def span(self, extent: Extent) -> Span:
        """Return an extent of this document as a span of its file."""
        return Span(self.source, *extent)

    def locate(self, finding: Finding) -> Diagnostic:
        """Return the finding with its place; a path not written here is placed at its parent."""
        if finding.place is not None:
            return _diagnostic(finding, finding.place.span, finding.place.text)
        path = finding.path
        while path and path not in self.spans:
            path = self._listed(path) or path[:-1]
        place = self.spans[path]
        extent = place.value
        if finding.hidden:
            extent = place.key or extent
            return _diagnostic(finding, self.span(extent), self._key_alone(place))
        if finding.at == "key" and place.key is not None:
            extent = place.key
        elif finding.within is not None:  # a text may stand for the mapping that the path means
            extent = self._part(place, path, finding.within)
        return _diagnostic(finding, self.span(extent))

    def _key_alone(self, place: TextPosition) -> str:
        """Return the line of a key without what stands around it."""
        extent = place.key or place.value
        line = self.text.split("\n")[extent.line - 1]
        key = line[extent.column - 1 : extent.end_column - 1] if place.key is not None else ""
        return f"{' ' * (extent.column - 1)}{key}…"

    def _listed(self, path: Path) -> Path | None:
        """Return the path of a list's entry that is named as the key of a mapping would be."""
        above, name = path[:-1], path[-1]
        if above not in self._entries:
            value = self._at(above) if above in self.spans else None
            entries = value if isinstance(value, list) else []
            last_to_first = reversed([*enumerate(entries)])
            self._entries[above] = {e: index for index, e in last_to_first if isinstance(e, str)}
        index = self._entries[above].get(name) if isinstance(name, str) else None
        return None if index is None else (*above, index)

    def _at(self, path: Path) -> Json:
        value: Json = self.data
        for step in path:
            value = value[step]  # every path of `spans` leads to one
        return value

    def _part(self, place: TextPosition, path: Path, within: tuple[int, int]) -> Extent:
        value = self._at(path)
        if not isinstance(value, str):
            return place.value
        if place not in self._decoded:
            if not self._lines:
                self._lines.extend(self.text.split("\n"))
            lines = self._lines[place.value.line - 1 : place.value.end_line]
            lines[-1] = lines[-1][: place.value.end_column - 1]
            self._decoded[place] = decoded(lines, place.value.column - 1, place.style, value)
        part = part_of(self._decoded[place], within)
        if part is None:
            return place.value
        (first, column), (last, end_column) = part
        above = place.value.line
        return Extent(above + first, column + 1, above + last, end_column + 1)


def _diagnostic(finding: Finding, span: Span, excerpt: str | None = None) -> Diagnostic:
    return Diagnostic(
        code=finding.code,
        message=on_one_line(finding.message),
        severity=finding.severity,
        span=span,
        path=finding.path,
        help=None if finding.help is None else on_one_line(finding.help),
        excerpt=excerpt,
    )


@frozen
class Parsed:
    r"""What became of a text.

    Args:
        document: the document; None when the findings leave nothing to build on.
        findings: everything wrong with the text, in the order of their places.
        text: the text with its line breaks all `\\n`, to show the findings in.
    """

    document: Document | None
    findings: tuple[Diagnostic, ...]
    text: str = ""
