"""What all models of the spec have in common.

A module with models does without `from __future__ import annotations`: pydantic would compile the
text of each annotation again whenever the tool starts.
"""

from abc import abstractmethod
from importlib import import_module
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from pipelines.json_types import JsonObject
from pipelines.spec.values import mistake


class SpecModel(BaseModel):
    """What all models of the spec have in common: frozen, strict, no unknown keys.

    A model is built when it is first used, which most kinds never are. Those that several kinds
    hold are built at once (`defer_build=False`): pydantic then takes them as they are instead of
    building them again in every kind.
    """

    one_of: ClassVar[tuple[str, ...]] = ()
    """Keys of which exactly one is given; in an environment it replaces the other ones."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        defer_build=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )

    def given(self) -> JsonObject:
        """Return its keys that have a value, those of blocks too.

        `model_dump` would build the model once more, by itself, to learn how it is written.
        """
        return {
            name: value.given() if isinstance(value, SpecModel) else value
            for name, value in self
            if value is not None
        }

    def check_one_of(self, example: str) -> None:
        """Raise a mistake unless exactly one key of `one_of` is given."""
        given = [key for key in self.one_of if getattr(self, key, None) is not None]
        if len(given) != 1:
            named = " and ".join(f"`{key}`" for key in given) or "none"
            message = f"needs exactly one of {', '.join(self.one_of)}; it has {named}"
            raise mistake("SP125", message, "keep only one" if given else example)


class ShortFormModel(SpecModel):
    """A mapping that may be written as one text where nothing else is to be said."""

    @classmethod
    @abstractmethod
    def long_form(cls, text: str) -> JsonObject:
        """Return the mapping that a text stands for."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return cls.long_form(value) if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonObject:
        written = handler(schema)
        mapping = handler.resolve_ref_schema(written)
        described = {k: mapping.pop(k) for k in ("description",) if k in mapping}
        short_or_long = {"anyOf": [{"type": "string"}, dict(mapping)], **described}
        mapping.clear()
        mapping.update(short_or_long)
        return written


_ModelT = TypeVar("_ModelT", bound=SpecModel)


class LateModel:
    """Stands for a model in the annotation of a seldom block; `late` makes one for each."""

    module: ClassVar[str]


def late(module: str, name: str) -> type[LateModel]:
    """Declare the model of a seldom block, whose module is imported where the block is given.

    To the type checker it is the model itself, which is imported `if TYPE_CHECKING`, else this.
    """
    return type(name, (LateModel,), {"module": module})


def imported(declared: type[_ModelT]) -> type[_ModelT]:
    """Return a model that may have been declared by `late`."""
    if not issubclass(declared, LateModel):
        return declared
    model: type[_ModelT] = getattr(import_module(declared.module), declared.__name__)
    return model


class _BuiltWhenGiven:
    """A marker for a key that few specs have: its model is imported and built when one has it."""

    def __get_pydantic_core_schema__(self, source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        declared, *others = get_args(source) or (source,)

        def read(value: object) -> BaseModel | None:
            is_left_out = value is None and others
            return None if is_left_out else imported(declared).model_validate(value)

        metadata = {_DECLARED: (declared, bool(others))}
        return core_schema.no_info_plain_validator_function(read, metadata=metadata)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonObject:
        declared, may_be_null = schema["metadata"][_DECLARED]
        model = imported(declared)
        model.model_rebuild()
        written = handler(core_schema.nullable_schema(model.__pydantic_core_schema__))
        if may_be_null:
            return written
        of_model: JsonObject = written["anyOf"][0]  # by its name; alone it would be written out
        return of_model


SELDOM = _BuiltWhenGiven()
_DECLARED = "declared"

Seldom: TypeAlias = Annotated[_ModelT | None, SELDOM]
"""A block that few specs have. An error in it is found at its place in the spec, as everywhere."""
