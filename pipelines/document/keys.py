"""The keys of a mapping: strings, each one once, and the merge key `<<`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.document.extents import Extent
from pipelines.document.nodes import AliasNode, Entry, MappingNode, Node, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from pipelines.document.nodes import Collection, NodeFrame

    Report: TypeAlias = Callable[[str, str, Extent, str | None], None]
    """Takes a code, the message, the place and what to do about it."""

MERGE = "<<"


def scalar_key(report: Report, frame: NodeFrame, node: ScalarNode, text: str) -> None:
    """Take a scalar as the key whose value comes next."""
    frame.key, frame.name = node.extent, text
    if not isinstance(node.value, str):
        shown = f"`{text}` is {_kind(node.value)}" if text else "this key is empty"
        report(
            "SP109",
            f"{shown}, and a key is a string",
            node.extent,
            f'write it in quotes: `"{text}":`' if text else "write a name before the colon",
        )
        return
    merges = text == MERGE and node.style == "plain"
    if text in frame.seen:
        first = frame.seen[text].line
        report(
            "SP103",
            f"the key `{text}` is already on line {first}",
            node.extent,
            f"merge both: `{MERGE}: [*one, *other]`"
            if merges
            else "remove one of them, or rename it",
        )
        frame.name = None
        return
    frame.seen[text] = node.extent
    frame.merging = merges


def alias_key(report: Report, frame: NodeFrame, node: AliasNode) -> None:
    """Take an alias as a key: it has to stand for a string."""
    target = node.target
    if isinstance(target, ScalarNode) and isinstance(target.value, str):
        scalar_key(report, frame, ScalarNode(target.value, node.extent, "*"), target.value)
        return
    if isinstance(target, ScalarNode) and target.style == "*":  # reported: it has no anchor
        frame.key, frame.name = node.extent, None
        return
    _refuse(report, frame, node.extent)


def collection_key(report: Report, frame: NodeFrame, node: Collection) -> None:
    """Refuse a mapping or list as a key, and name the trap that it mostly is."""
    _refuse(report, frame, node.extent)


def _refuse(report: Report, frame: NodeFrame, extent: Extent) -> None:
    report(
        "SP109",
        "a key must be a string, not a mapping or a list",
        extent,
        "if `{…}` or `[…]` is meant as text, put the whole value in quotes; a reference is `${…}`",
    )
    frame.key, frame.name = extent, None


def take_value(report: Report, frame: NodeFrame, node: Node) -> None:
    """Pair the pending key with its value."""
    mapping, extent, name = frame.node, frame.key, frame.name
    if not isinstance(mapping, MappingNode) or extent is None:
        return
    if frame.merging:
        _merge(report, frame, node)
    elif name is not None and name not in mapping.entries:
        mapping.entries[name] = Entry(name, extent, node)
    frame.key, frame.name, frame.merging = None, None, False


def _merge(report: Report, frame: NodeFrame, node: Node) -> None:
    """Note the mappings that a merge key names; the earlier ones win."""
    parts = node.items if isinstance(node, SequenceNode) else [node]
    for part in parts:
        target = part.target if isinstance(part, AliasNode) else part
        if isinstance(target, MappingNode):
            frame.merges.append(target)
        elif not (isinstance(target, ScalarNode) and target.style == "*"):
            report(
                "SP113",
                f"`{MERGE}` merges mappings, and this is none",
                part.extent,
                f"write `{MERGE}: *name`, where `&name` marks a mapping",
            )


def merged(entry: Entry) -> Entry:
    """Return an entry as a merge key brings it into another mapping."""
    return Entry(entry.key, entry.extent, entry.value, merged=True)


def first_line(node: Collection) -> Extent:
    """Return what to underline for a block collection without a key: its first entry."""
    start = node.extent
    if isinstance(node, MappingNode):
        first = next(iter(node.entries.values()), None)
        if first is None:
            return start._replace(end_line=start.line, end_column=start.column + 1)
        start, value = first.extent, first.value.extent
    else:
        start = start._replace(end_line=start.line, end_column=start.column + 1)
        if not node.items:
            return start
        value = node.items[0].extent
    if value.line == value.end_line == start.line and value.end_column > start.end_column:
        return start._replace(end_column=value.end_column)
    return start


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return "a boolean" if isinstance(value, bool) else "a number"
