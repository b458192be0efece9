"""Frozen dataclasses: what `@dataclass(frozen=True, slots=True)` makes, in a third of the time.

The standard decorator compiles six functions for each class; for the eighty classes of the
compiler that was a quarter of `validate`. Here only the constructor is compiled, and all classes
share the rest. `dataclasses.fields` and `dataclasses.replace` work on them as on any other.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

ClassT = TypeVar("ClassT")

_LEFT_OUT: Any = type("_LeftOut", (), {"__repr__": lambda _: "<made for each value>"})()


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[ClassT]) -> type[ClassT]:
    """Make a class with annotated fields a frozen, slotted dataclass; a decorator."""
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    made.__init__ = _constructor(made)
    made.__repr__, made.__eq__, made.__hash__ = _represent, _equal, _hash
    made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
    finished: type[ClassT] = made
    return finished


def _constructor(cls: Any) -> Any:
    """Compile `__init__`: one parameter per field, in order."""
    scope: dict[str, Any] = {"_set": object.__setattr__, "_left_out": _LEFT_OUT}
    parameters, body = [], []
    for one in fields(cls):
        parameters.append(one.name + _default(one, scope))
        given = one.name
        if one.default_factory is not MISSING:
            given = f"_make_{given}() if {given} is _left_out else {given}"
        body.append(f" _set(self, {one.name!r}, {given})")
    head = f"def __init__(self, {', '.join(parameters)}):\n"
    exec(head + ("\n".join(body) or " pass"), scope)  # noqa: S102 - the names of our own fields
    return scope["__init__"]


def _default(one: Field[Any], scope: dict[str, Any]) -> str:
    """Return what follows a parameter's name, its default put into the scope."""
    if one.default_factory is not MISSING:
        scope[f"_make_{one.name}"] = one.default_factory
        return "=_left_out"
    if one.default is MISSING:
        return ""
    scope[f"_default_{one.name}"] = one.default
    return f"=_default_{one.name}"


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__match_args__])


def _represent(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _equal(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse_to_set(_self: Any, name: str, _to: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
