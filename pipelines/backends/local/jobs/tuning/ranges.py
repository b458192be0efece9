"""`ParameterRanges` → the ranges of a search, whose values are texts, as in a request."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.backends.local.stub_advice import USE_A_STUB
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

Number: TypeAlias = float | int

_MANY: Final = 100.0
"""With scaling `Auto`, a range whose ends differ by such a factor is searched by logarithms."""


@frozen
class NumberRange:
    """A range of numbers.

    Args:
        name: the hyperparameter.
        low: the least one, and `high`, the greatest.
        scaling: as the request has it.
        is_whole: whether only whole numbers belong to it.
    """

    name: str
    low: Number
    high: Number
    scaling: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = "Auto"
    is_whole: bool = False

    @property
    def is_reversed(self) -> bool:
        """Whether the distance from 1 is what is searched."""
        return self.scaling == "ReverseLogarithmic"

    @property
    def is_logarithmic(self) -> bool:
        """Whether what is searched is searched by its logarithm."""
        if self.scaling == "Auto":
            return self.low > 0 and self.high / self.low >= _MANY
        return self.scaling != "Linear"

    @property
    def searched(self) -> tuple[Number, Number]:
        """The least and the greatest of what is searched."""
        return (1 - self.high, 1 - self.low) if self.is_reversed else (self.low, self.high)

    def text(self, searched: Number) -> str:
        """Write a value that was found as the request has it."""
        value = 1 - searched if self.is_reversed else searched
        return (
            str(int(value)) if self.is_whole else repr(float(min(max(value, self.low), self.high)))
        )

    def read(self, text: str) -> Number | None:
        """Read a value back as what is searched; None where it is outside the range."""
        try:
            value = int(text) if self.is_whole else float(text)
        except ValueError:
            return None
        if not self.low <= value <= self.high:
            return None
        low, high = self.searched
        return min(max(1 - value if self.is_reversed else value, low), high)


@frozen
class CategoricalRange:
    """The values of a categorical hyperparameter."""

    name: str
    values: tuple[str, ...]

    def read(self, text: str) -> str | None:
        """Return the value; None where it is none of them."""
        return text if text in self.values else None


ParameterRange: TypeAlias = NumberRange | CategoricalRange
Space: TypeAlias = tuple[ParameterRange, ...]
Point: TypeAlias = Mapping[str, Number | str]
"""A value for each range of a space, as what is searched."""


def read_ranges(given: JsonObject | None) -> Space:
    """Read the ranges of a request, which has been checked.

    Raises:
        JobRefusedError: ranges that the service would choose.
    """
    if given and given.get("AutoParameters"):
        raise JobRefusedError(
            "the ranges of AutoParameters are chosen by the service",
            f"give ranges for a local run, or {USE_A_STUB}",
        )
    return tuple(_read(given or {}))


def _read(given: JsonObject) -> Iterator[ParameterRange]:
    for one in given.get("ContinuousParameterRanges") or ():
        yield NumberRange(
            one["Name"], float(one["MinValue"]), float(one["MaxValue"]), _scaling(one)
        )
    for one in given.get("IntegerParameterRanges") or ():
        low, high = (int(float(one[end])) for end in ("MinValue", "MaxValue"))
        yield NumberRange(one["Name"], low, high, _scaling(one), is_whole=True)
    for one in given.get("CategoricalParameterRanges") or ():
        yield CategoricalRange(one["Name"], tuple(dict.fromkeys(one["Values"])))


def _scaling(
    one: JsonObject,
) -> Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]:
    scaling: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]
    scaling = one.get("ScalingType") or "Auto"
    return scaling


def drawn(space: Space, seed: str) -> Point:
    """Draw a value of each range by chance: the same seed draws the same."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    return {one.name: _drawn(one, chance) for one in space}


def _drawn(one: ParameterRange, chance: random.Random) -> Number | str:
    if isinstance(one, CategoricalRange):
        return chance.choice(one.values)
    low, high = one.searched
    if one.is_whole and not one.is_logarithmic:
        return chance.randint(int(low), int(high))
    rounded = 0.5 if one.is_whole else 0.0  # each whole number stands for what is rounded to it
    ends = low - rounded, high + rounded
    if one.is_logarithmic:
        value = math.exp(chance.uniform(*map(math.log, ends)))
    else:
        value = chance.uniform(*ends)
    return min(max(round(value) if one.is_whole else value, low), high)


def texts_of(space: Space, point: Point) -> dict[str, str]:
    """Write what is searched as the request has it."""
    return {one.name: _text(one, point[one.name]) for one in space}


def _text(one: ParameterRange, value: Number | str) -> str:
    if isinstance(value, str):
        return value  # of a categorical range
    return one.text(value) if isinstance(one, NumberRange) else str(value)


def read_point(space: Space, texts: Mapping[str, str]) -> dict[str, Number | str] | None:
    """Return hyperparameters as what is searched; None where they are not of this space."""
    read = {one.name: one.read(texts[one.name]) for one in space if one.name in texts}
    if len(read) < len(space):
        return None
    known = {name: value for name, value in read.items() if value is not None}
    return known if len(known) == len(space) else None
