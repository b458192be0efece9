"""`${…}` in the spec: text → Template of literals and references.

A reference names a value by a dotted path: `parameters.NAME`, `data.NAME`,
`steps.NAME.OUTPUT[.path]`, `steps.NAME.properties.PATH`, `execution.WORD`. `$${` is a literal `${`.
Names are resolved later, by `pipelines.graph`.
"""

from __future__ import annotations

import re

from pipelines.frozen import frozen
from pipelines.grammar import paths

ROOTS = ("parameters", "data", "steps", "execution", "env")

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?")


class ReferenceSyntaxError(Exception):
    """A reference that cannot be read.

    Args:
        problem: what is wrong with it.
        start: where in the text it begins, in characters.
        end: where it ends.
        help: what to write instead.
    """

    def __init__(self, problem: str, start: int, end: int, help: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.start = start
        self.end = end
        self.help = help


@frozen
class Reference:
    """One dotted path.

    Args:
        parts: names in order; an index stands as an int, a quoted key as the text it quotes.
        text: the path as it was written.
        start: offset of its first character in the text it stands in.
        end: offset behind its last character.
    """

    parts: tuple[str | int, ...]
    text: str
    start: int = 0
    end: int = 0

    @property
    def root(self) -> str:
        """The first name: one of `ROOTS` when the reference is right."""
        return str(self.parts[0])

    @property
    def name(self) -> str:
        """The second name, such as that of a step or a parameter; "" for a bare root."""
        return str(self.parts[1]) if len(self.parts) > 1 else ""

    def below(self, count: int) -> str:
        """Return the text behind the first `count` names, such as `a.b[0]`."""
        ends = [0, *(end for _, end in paths.parts_of(self.text))]
        return self.text[ends[min(count, len(ends) - 1)] :].removeprefix(".")

    def __str__(self) -> str:
        return self.text


@frozen
class Template:
    """A text with at least one reference in it, literals and references in order."""

    segments: tuple[str | Reference, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        """The references, in the order in which they stand."""
        return tuple(s for s in self.segments if isinstance(s, Reference))

    @property
    def only(self) -> Reference | None:
        """The reference, when the text is nothing but one reference."""
        first = self.segments[0]
        return first if len(self.segments) == 1 and isinstance(first, Reference) else None

    def __str__(self) -> str:
        return "".join(
            s.replace("${", "$${") if isinstance(s, str) else f"${{{s}}}" for s in self.segments
        )


def parse_text(text: str) -> str | Template:
    """Read a text: a plain `str` when it holds no reference, else a `Template`.

    Raises:
        ReferenceSyntaxError: a `${` without its `}`, or a path that is none.
    """
    if "${" not in text:
        return text
    segments: list[str | Reference] = []
    literal = ""
    position = 0
    while (found := text.find("${", position)) >= 0:
        if found > 0 and text[found - 1] == "$":
            literal += text[position : found - 1] + "${"
            position = found + 2
            continue
        literal += text[position:found]
        end = text.find("}", found)
        if end < 0:
            raise ReferenceSyntaxError(
                "`${` is not closed", found, len(text), "close it with `}`; a literal `${` is `$${`"
            )
        if literal:
            segments.append(literal)
            literal = ""
        segments.append(parse_path(text[found + 2 : end], found + 2))
        position = end + 1
    literal += text[position:]
    if literal:
        segments.append(literal)
    if any(isinstance(s, Reference) for s in segments):
        return Template(tuple(segments))
    return "".join(str(s) for s in segments)


def parse_path(text: str, offset: int = 0) -> Reference:
    """Read one dotted path; `offset` is where it stands in its text.

    Raises:
        ReferenceSyntaxError: not a path of names, indexes and quoted keys.
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        inner = stripped.strip("{}").strip()
        how = f"write `${{{inner}}}`, with one brace"
        raise ReferenceSyntaxError(
            f"`{stripped}` is not a reference", offset, offset + len(text), how
        )
    start = offset + len(text) - len(text.lstrip())
    end = start + len(stripped)
    if not stripped:
        raise ReferenceSyntaxError("`${}` names nothing", offset, offset + len(text))
    try:
        parts = paths.parse_path(stripped)
    except paths.PathError:
        parts = ()
    if not parts or stripped.startswith(".") or not all(map(_is_part, parts)):
        raise ReferenceSyntaxError(
            f"`{stripped}` is not a reference",
            start,
            end,
            "a reference is a path of names such as `steps.train.model`",
        )
    return Reference(parts, stripped, start, end)


def _is_part(part: paths.PathPart) -> bool:
    """Return whether a part may stand in the spec: a name, any quoted key, no index below zero."""
    if isinstance(part, int):
        return part >= 0
    return isinstance(part, paths.Key) or _NAME.fullmatch(part) is not None
