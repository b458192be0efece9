"""Follows a `Get Steps.<name>.<path>` below the step's name through its Describe shape."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from pipelines.diagnostics.sentences import suggestion
from pipelines.frozen import frozen
from pipelines.steptypes.shapes.model import PathProblem, Shape, Shapes


@frozen
class Member:
    """`.name`: a member of a structure."""

    name: str


@frozen
class Index:
    """`[0]`: an entry of a list."""

    number: int


@frozen
class Key:
    """`['name']`: an entry of a map, or of a list whose entries have names."""

    name: str


PathPart: TypeAlias = Member | Index | Key

_PART: Final = re.compile(
    r"""(?P<dot>\.)?(?P<member>[^.\[\]'"\s]+)|\[(?P<index>\d+)\]|\[(?P<q>['"])(?P<key>.*?)(?P=q)\]"""
)
_ANY: Final = Shape("Any", "any")


def parse_path(path: str) -> tuple[PathPart, ...] | None:
    """Split `Outputs['train'].S3Output.Uris[0]` into its parts; None where it is no path."""
    found: list[PathPart] = []
    position = 0
    while position < len(path):
        match = _PART.match(path, position)
        if match is None:
            return None
        if match["member"] is not None:
            if (match["dot"] is None) != (position == 0):
                return None
            found.append(Member(match["member"]))
        elif match["index"] is not None:
            found.append(Index(int(match["index"])))
        else:
            found.append(Key(match["key"]))
        position = match.end()
    return tuple(found) if found and isinstance(found[0], Member) else None


def member_at(shapes: Shapes, path: str) -> Shape | PathProblem:
    """Return the shape that a property path ends at, or why it leads nowhere.

    Args:
        shapes: the shapes of the step that is read.
        path: what stands behind `Steps.<name>.`.
    """
    if shapes.describe is None:
        return PathProblem(f"a {shapes.step_type.name} step has no properties to read")
    parts = parse_path(path)
    if parts is None:
        return PathProblem(
            f"`{path}` is not a property path",
            "write members as `.Name`, entries as `[0]` or `['name']`",
        )
    shape = shapes.describe
    label = shapes.step_type.name
    for part in parts:
        found = _step_into(shapes, shape, part, label)
        if isinstance(found, PathProblem):
            return found
        shape = found
        label = part.name if not isinstance(part, Index) else label
    return shape


def _step_into(shapes: Shapes, shape: Shape, part: PathPart, label: str) -> Shape | PathProblem:
    match shape.type:
        case "any":
            return _ANY
        case "structure":
            return _into_structure(shapes, shape, part, label)
        case "map":
            if isinstance(part, Index):
                return PathProblem(f"`{label}` has names, not numbers", "write `['<name>']`")
            return shapes.get(shape.value or "")
        case "list":
            return _into_list(shapes, shape, part, label)
        case _:
            return PathProblem(f"`{label}` is a {shape.type} and has nothing below it")


def _into_structure(
    shapes: Shapes, shape: Shape, part: PathPart, label: str
) -> Shape | PathProblem:
    if isinstance(part, Index):
        return PathProblem(f"`{label}` is not a list")
    if part.name not in shape.members:
        return PathProblem(
            f"`{label}` has no property `{part.name}`", suggestion(part.name, shape.members)
        )
    return shapes.get(shape.members[part.name])


def _into_list(shapes: Shapes, shape: Shape, part: PathPart, label: str) -> Shape | PathProblem:
    element = shapes.get(shape.element or "")
    match part:
        case Index(number):
            if shape.max is not None and number >= shape.max:
                return PathProblem(f"`{label}` has at most {shape.max} entries, counted from 0")
            return element
        case Key(_):
            if any(name.endswith("Name") for name in element.members):
                return element
            return PathProblem(f"the entries of `{label}` have no names", "write `[<number>]`")
        case Member(name):
            return PathProblem(
                f"`{label}` is a list and has no property `{name}`",
                "write `[<number>]`, or `['<name>']` where its entries have names",
            )
