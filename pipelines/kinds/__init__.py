"""The kinds of steps: one module per kind, found by its name.

A kind is a word of the spec that becomes one or more steps of known SageMaker Types. After
compile nothing depends on kinds any more. What they share stands in `base`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from pipelines.kinds.base.contract import Kind
from pipelines.spec.load import StepModels
from pipelines.spec.steps import StepSpec


def names() -> tuple[str, ...]:
    """All kinds, sorted: the modules of this package."""
    return _names_in(tuple(__path__))


@functools.cache
def _names_in(folders: tuple[str, ...]) -> tuple[str, ...]:
    files = (file for folder in folders for file in Path(folder).glob("[!_]*.py"))
    return tuple(sorted(file.stem for file in files))


def find(name: str) -> Kind | None:
    """Look a kind up; only its own module is imported."""
    if name not in names():
        return None
    kind: Kind = import_module(f"{__package__}.{name}").KIND
    return kind


def _model(name: str, step: Iterable[str]) -> type[StepSpec] | None:
    kind = find(name)
    return kind.model_of(step) if kind else None


def step_models() -> StepModels:
    """Return what the spec loader has to know of the kinds."""
    return StepModels(_model, names())
