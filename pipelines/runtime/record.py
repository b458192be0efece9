"""Frozen values without the start-up cost of `dataclasses` or `typing` (about 10 ms in every job).

To the type checker a record is a NamedTuple: `if TYPE_CHECKING: from typing import NamedTuple
as Record`, else this class.
"""

from __future__ import annotations


class Record:
    """Base of a frozen value: its annotated names are its fields, their values the defaults."""

    _fields: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)

    def __init__(self, *values: object, **named: object) -> None:
        given = dict(zip(self._fields, values))
        given.update(named)
        if len(values) > len(self._fields) or not given.keys() <= set(self._fields):
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(self._fields)}")
        for name in self._fields:
            if name not in given:
                given[name] = getattr(type(self), name)  # its default
        self.__dict__.update(given)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({fields})"

    def _replace(self, **changes: object) -> Record:
        """Return a copy with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})
