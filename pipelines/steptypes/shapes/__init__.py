"""Shapes of step Types, digested from botocore's service models.

`<Type>.json` beside this file is written by `tools/generate_shapes.py`.
"""

from pipelines.steptypes.shapes.checking import check, check_request
from pipelines.steptypes.shapes.model import (
    PathProblem,
    Shape,
    ShapeProblem,
    Shapes,
    ShapeTable,
    shapes_of,
)
from pipelines.steptypes.shapes.properties import member_at

__all__ = [
    "PathProblem",
    "Shape",
    "ShapeProblem",
    "ShapeTable",
    "Shapes",
    "check",
    "check_request",
    "member_at",
    "shapes_of",
]
