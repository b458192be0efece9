"""Names of instance types: the next bigger one of the same family, of those that the API knows.

A bigger type of a family with GPUs often has the same GPU and more processors.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from pipelines.images.gpus import gpus_of
from pipelines.steptypes.shapes import shapes_of
from pipelines.steptypes.steptype import StepType

_SIZE: Final = re.compile(r"(?P<times>\d*)(?P<name>medium|large|xlarge)")
_LEAST: Final[Mapping[str, float]] = {"medium": 0.25, "large": 0.5, "xlarge": 1.0}
_SEVERAL: Final = 2.0
_SHAPES: Final = ("TrainingInstanceType", "ProcessingInstanceType", "TransformInstanceType")


def known_types(step_type: StepType) -> frozenset[str]:
    """Return the instance types that jobs of a Type may run on, as the API's model lists them."""
    shapes = shapes_of(step_type)
    found = (shapes.get(name) for name in _SHAPES if name in shapes.names())
    return frozenset(one for shape in found for one in shape.enum)


def next_bigger(instance_type: str, known: Collection[str]) -> str | None:
    """Return the next bigger type of a family among those known; None where there is none."""
    family, _, size = instance_type.rpartition(".")
    own = _weight(size)
    named = (one.rpartition(".") for one in known)
    sizes = ((_weight(other), other) for of, _, other in named if of == family)
    bigger = [(weight, other) for weight, other in sizes if own and weight and weight > own]
    return f"{family}.{min(bigger)[1]}" if bigger else None


def next_with_more_gpus(instance_type: str, known: Collection[str]) -> str | None:
    """Return the type of a family, of those known, that has the next higher number of GPUs.

    None where there is none, or nothing is known of the family.
    """
    own, family = gpus_of(instance_type), instance_type.rpartition(".")[0]
    if own is None:
        return None
    named = (one for one in known if one.rpartition(".")[0] == family)
    sizes = ((gpus_of(one) or 1, _weight(one.rpartition(".")[2]) or 0.0, one) for one in named)
    return min((one for one in sizes if one[0] > own), default=(0, 0.0, None))[-1]


def is_several_times_the_smallest(instance_type: str) -> bool:
    """Return whether a type is a 2xlarge or bigger, which has several processors in any family."""
    return (_weight(instance_type.rpartition(".")[2]) or 0.0) >= _SEVERAL


def _weight(size: str) -> float | None:
    found = _SIZE.fullmatch(size)
    return None if found is None else _LEAST[found["name"]] * int(found["times"] or 1)
