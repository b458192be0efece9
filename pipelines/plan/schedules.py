"""Schedules of the spec, and those that are there → what a person should know.

An upsert changes none: they are made by `ci`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.plan.deployed import Times

_MADE_BY = "`ci init` and `ci apply`"


def warnings(wanted: Mapping[str, Times], there: Mapping[str, Times | None]) -> Iterator[str]:
    """Yield the schedules that are missing, and of others each key that differs."""
    for name in (name for name in wanted if name in there):
        found = there[name]
        if found is None:
            times = f"`{wanted[name].expression}` in {wanted[name].timezone}"
            yield f"there is no schedule {name} ({times}): {_MADE_BY} make it"
        else:
            for difference in _differences(found, wanted[name]):
                yield f"the schedule {name} has {difference}: {_MADE_BY} change it"
            if not found.is_on:
                yield f"the schedule {name} is switched off in the account"


def _differences(found: Times, wanted: Times) -> Iterator[str]:
    """Yield what it has, and what the spec has in its place."""
    if found.expression != wanted.expression:
        yield f"`{found.expression}`, the spec `{wanted.expression}`"
    if found.timezone != wanted.timezone:
        yield f"the time zone {found.timezone}, the spec {wanted.timezone}"
    for key in sorted({*found.parameters, *wanted.parameters}):
        was, now = found.parameters.get(key), wanted.parameters.get(key)
        if was != now:
            yield f"the parameter `{key}` {_said(was)}, the spec {_said(now)}"


def _said(value: str | None) -> str:
    return "not at all" if value is None else f"`{value}`"
