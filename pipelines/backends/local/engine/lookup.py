"""Step Type → its executor, found by module name."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import TypeAlias

from pipelines.backends.local.executors.contract import Executor
from pipelines.steptypes import StepType, module_name

Executors: TypeAlias = Callable[[str], Executor | None]
StepTypes: TypeAlias = Callable[[str], StepType | None]

_FOLDER = "pipelines.backends.local.executors"


def find_executor(type_name: str) -> Executor | None:
    """Import the executor of a Type; None where there is none."""
    name = f"{_FOLDER}.{module_name(type_name)}"
    if not type_name.isidentifier() or importlib.util.find_spec(name) is None:
        return None
    execute: Executor | None = getattr(importlib.import_module(name), "execute", None)
    return execute
