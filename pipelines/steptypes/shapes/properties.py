"""Follows a `Get Steps.<name>.<path>` below the step's name through its Describe shape."""

from __future__ import annotations

from typing import Final

from pipelines.diagnostics.sentences import suggestion
from pipelines.grammar.paths import Key, PathError, PathPart, ValuePath, parse_path
from pipelines.steptypes.shapes.model import PathProblem, Shape, Shapes

_ANY: Final = Shape("Any", "any")


def member_at(shapes: Shapes, path: str) -> Shape | PathProblem:
    """Return the shape that a property path ends at, or why it leads nowhere.

    Args:
        shapes: the shapes of the step that is read.
        path: what stands behind `Steps.<name>`, as `.ModelArtifacts.S3ModelArtifacts`.
    """
    if shapes.describe is None:
        return PathProblem(f"a {shapes.step_type.name} step has no properties to read")
    parts = _parts(path)
    if not parts:
        return PathProblem(
            f"`{path.removeprefix('.')}` is not a property path",
            "write members as `.Name`, entries as `[0]` or `['name']`",
        )
    shape = shapes.describe
    label = shapes.step_type.name
    for part in parts:
        found = _step_into(shapes, shape, part, label)
        if isinstance(found, PathProblem):
            return found
        shape = found
        label = label if isinstance(part, int) else part
    return shape


def _parts(path: str) -> ValuePath:
    """Return the parts of a property path: it begins with a member and counts from the start."""
    try:
        parts = parse_path(path)
    except PathError:
        return ()
    if not parts or isinstance(parts[0], int | Key):
        return ()
    return () if any(isinstance(part, int) and part < 0 for part in parts) else parts


def _step_into(shapes: Shapes, shape: Shape, part: PathPart, label: str) -> Shape | PathProblem:
    match shape.type:
        case "any":
            return _ANY
        case "structure":
            return _into_structure(shapes, shape, part, label)
        case "map":
            if isinstance(part, int):
                return PathProblem(f"`{label}` has names, not numbers", "write `['<name>']`")
            return shapes.get(shape.value or "")
        case "list":
            return _into_list(shapes, shape, part, label)
        case _:
            return PathProblem(f"`{label}` is a {shape.type} and has nothing below it")


def _into_structure(
    shapes: Shapes, shape: Shape, part: PathPart, label: str
) -> Shape | PathProblem:
    if isinstance(part, int):
        return PathProblem(f"`{label}` is not a list")
    if part not in shape.members:
        return PathProblem(f"`{label}` has no property `{part}`", suggestion(part, shape.members))
    return shapes.get(shape.members[part])


def _into_list(shapes: Shapes, shape: Shape, part: PathPart, label: str) -> Shape | PathProblem:
    element = shapes.get(shape.element or "")
    match part:
        case int():
            if shape.max is not None and part >= shape.max:
                return PathProblem(f"`{label}` has at most {shape.max} entries, counted from 0")
            return element
        case Key():
            if any(name.endswith("Name") for name in element.members):
                return element
            return PathProblem(f"the entries of `{label}` have no names", "write `[<number>]`")
        case _:
            return PathProblem(
                f"`{label}` is a list and has no property `{part}`",
                "write `[<number>]`, or `['<name>']` where its entries have names",
            )
