"""Frozen dataclasses: what `@dataclass(frozen=True, slots=True)` makes, in a tenth of the time.

The standard decorator compiles six functions for each class; for the hundred classes of the
compiler that was a quarter of `validate`. Here only the constructor is made for each, when a
first value is made, and all classes share the rest. `dataclasses.fields` and `dataclasses.replace`
work on them as on any other: what these read is made when they first ask for it. Of `field`, only
`default_factory` is understood.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field
from functools import cache
from itertools import dropwhile
from types import CodeType, FunctionType
from typing import Any, TypeVar, dataclass_transform

ClassT = TypeVar("ClassT")

_STANDARD: Any = dataclass(init=False, repr=False, eq=False)
_OF_LAYOUT = frozenset({"__dict__", "__weakref__"})
_LEFT_OUT: Any = type("_LeftOut", (), {"__repr__": lambda _: "<made for each value>"})()


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[ClassT]) -> type[ClassT]:
    """Make a class with annotated fields a frozen, slotted dataclass; a decorator."""
    written = vars(cls)
    annotated: dict[str, Any] = written.get("__annotations__", {})
    names = tuple(name for name, kind in annotated.items() if "ClassVar" not in str(kind))
    inherited: dict[str, Any] = getattr(cls, "__frozen_fields__", {})
    defaults = {**inherited, **{name: written.get(name, MISSING) for name in names}}

    def construct_first(self: Any, *given: Any, **named: Any) -> None:
        made.__init__ = _constructor(defaults)
        made.__init__(self, *given, **named)

    kept = written.keys() - _OF_LAYOUT - {*names}
    body = {
        **{key: value for key, value in written.items() if key in kept},
        "__slots__": names,
        "__frozen_fields__": defaults,
        "__match_args__": tuple(defaults),
        "__dataclass_fields__": _Fields(cls),
        "__init__": construct_first,
        **_SHARED,
    }
    metaclass: Any = type(cls)
    made = metaclass(cls.__name__, cls.__bases__, body)
    finished: type[ClassT] = made
    return finished


class _Fields:
    """What `dataclasses` reads of a class; made by the standard decorator when it first does."""

    def __init__(self, written: type) -> None:
        self._written = written

    def __get__(self, _value: object, asked: Any) -> dict[str, Field[Any]]:
        written = self._written
        body = {key: value for key, value in vars(written).items() if key not in _OF_LAYOUT}
        standard: Any = _STANDARD(type(written.__name__, written.__bases__, body))
        for cls in asked.__mro__:
            if vars(cls).get("__dataclass_fields__") is self:
                cls.__dataclass_params__ = standard.__dataclass_params__
                cls.__dataclass_fields__ = standard.__dataclass_fields__
        fields: dict[str, Field[Any]] = standard.__dataclass_fields__
        return fields


def _constructor(defaults: dict[str, Any]) -> Any:
    """Return `__init__` with one parameter per field, in order.

    Raises:
        TypeError: a field without default follows one that has one.
    """
    given = tuple(dropwhile(lambda default: default is MISSING, defaults.values()))
    if MISSING in given:
        raise TypeError(f"a field without default after one with a default: {list(defaults)}")
    factories = {
        name: default.default_factory
        for name, default in defaults.items()
        if isinstance(default, Field)
    }
    template = _template(len(defaults), bool(factories))
    names = dict(zip(_places(len(defaults)), defaults, strict=True))
    code = template.replace(
        co_varnames=("self", *defaults),
        co_consts=tuple(names.get(one, one) for one in template.co_consts),
    )
    scope = {"_set": object.__setattr__, "_make": _make, "_factories": factories}
    left_out = tuple(_LEFT_OUT if isinstance(one, Field) else one for one in given)
    return FunctionType(code, scope, "__init__", left_out)


def _make(self: Any, factories: dict[str, Any]) -> None:
    """Give a value those of its defaults that are made for each."""
    for name, factory in factories.items():
        if getattr(self, name) is _LEFT_OUT:
            object.__setattr__(self, name, factory())


@cache
def _template(count: int, makes: bool) -> CodeType:  # noqa: FBT001 - a part of the cache's key
    """Compile the constructor of as many fields; `makes` where it has defaults to be made.

    Constructors differ in names only, so that a few templates do for all classes.
    """
    places = _places(count)
    lines = [f"def __init__({', '.join(('self', *places))}):"]
    lines += [f" _set(self, {place!r}, {place})" for place in places]
    if makes:
        lines.append(" _make(self, _factories)")
    scope: dict[str, Any] = {}
    exec("\n".join((*lines, " return")), scope)  # noqa: S102 - nothing in it is given to us
    code: CodeType = scope["__init__"].__code__
    return code


def _places(count: int) -> list[str]:
    """Return what stands in a template for the names of fields."""
    return [f"field_{index}" for index in range(count)]


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


_SHARED = {
    "__repr__": _represent,
    "__eq__": _equal,
    "__hash__": _hash,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
}
