"""`@frozen` makes what `@dataclass(frozen=True, slots=True)` makes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from pipelines.frozen import frozen


@frozen
class Place:
    """A value with defaults of both sorts and a property."""

    line: int
    column: int = 1
    notes: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """Line and column."""
        return f"{self.line}:{self.column}"


@frozen
class Point:
    """A value that can be hashed."""

    x: int
    y: int = 0


@frozen
class Marked(Place):
    """A value of a class below another one, with something that is no field."""

    known: ClassVar[int] = 7
    mark: str = "x"


@dataclass(frozen=True, slots=True)
class Standard:
    """The same fields by the standard decorator."""

    x: int
    y: int = 0


def test_fields_are_given_by_position_or_name_and_have_defaults() -> None:
    """A default factory is called for each value."""
    assert Place(3, column=4).shown == "3:4"
    first, second = Place(1), Place(1)
    first.notes.append("seen")
    assert second.notes == []
    assert first.column == 1


def test_values_are_equal_by_their_fields_and_only_within_one_class() -> None:
    """Equal values have equal hashes; another class with the same fields is something else."""
    assert Point(1) == Point(1, 0)
    assert Point(1) != Point(1, 2)
    assert len({Point(1), Point(1), Point(2)}) == 2
    others: list[object] = [Standard(1), (1, 0)]
    assert Point(1) not in others


def test_a_value_cannot_be_changed_nor_given_more() -> None:
    """As with the standard decorator, by the same error."""
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert not hasattr(point, "__dict__")


def test_a_missing_or_unknown_field_is_a_type_error() -> None:
    """The constructor has one parameter per field, so that Python itself says what is wrong."""
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Point(1, z=2)  # type: ignore[call-arg]


def test_the_functions_of_dataclasses_and_patterns_work() -> None:
    """`fields`, `replace`, `asdict`, `repr` and `match` see an ordinary dataclass."""
    assert [one.name for one in dataclasses.fields(Point)] == ["x", "y"]
    assert dataclasses.replace(Point(1), y=5) == Point(1, 5)
    assert dataclasses.asdict(Point(1)) == dataclasses.asdict(Standard(1))
    assert repr(Point(1)) == repr(Standard(1)).replace("Standard", "Point")
    match Point(7, 8):
        case Point(x, y=8):
            assert x == 7
        case _:
            pytest.fail("the pattern did not match")


def test_a_class_below_another_one_has_the_fields_of_both() -> None:
    """Its own come last; neither class is changed by what is made of the other one."""
    marked = Marked(1, 2, ["seen"], mark="y")
    assert repr(marked) == "Marked(line=1, column=2, notes=['seen'], mark='y')"
    assert (marked.shown, marked.known) == ("1:2", Marked.known)
    names = [[one.name for one in dataclasses.fields(cls)] for cls in (Marked, Place)]
    assert names == [["line", "column", "notes", "mark"], ["line", "column", "notes"]]
    assert dataclasses.replace(marked, line=5, mark="z") == Marked(5, 2, ["seen"], "z")
    assert Place(1) != Marked(1)


def test_a_class_below_may_have_a_constructor_of_its_own() -> None:
    """It calls the one above, also as the first to do so."""

    @frozen
    class Above:
        text: str

    class Below(Above):
        def __init__(self, number: int) -> None:
            super().__init__(str(number))

    assert [Below(3).text, Below(4).text, Above("5").text] == ["3", "4", "5"]
