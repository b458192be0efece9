"""Step Types that take any arguments, for tests that do not ask what a request looks like."""

from __future__ import annotations

from dataclasses import replace

from pipelines.backends.local.errors import validated
from pipelines.execution.schedule import read_schedule
from pipelines.steptypes import StepType, find


def readable(text: str) -> None:
    """Refuse no definition that can be scheduled, whatever its arguments."""
    with validated():
        read_schedule(text)


def undemanding(type_name: str) -> StepType | None:
    """Find a Type, without what it asks of a request and of the objects that it reads."""
    found = find(type_name)
    if found is None:
        return None
    return replace(found, request=None, one_of=(), limits=(), rules=(), inputs=())
