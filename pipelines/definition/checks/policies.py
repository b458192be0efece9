"""Checks what may stand on any step: `DependsOn`, `CacheConfig` and `RetryPolicies`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.model import Definition, Entry, error, error_on_key, warning
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import suggestion
from pipelines.grammar.durations import meant, parse_iso, parse_loose
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType
from pipelines.steptypes.steptype import FAULTS

TRIGGERS: Final = ("Completed", "Failed", "Stopped", "Any")
"""When a dependency lets a step run (SDK step_dependency.py)."""

_CACHE_KEYS: Final = ("Enabled", "ExpireAfter")
_RETRY_NUMBERS: Final = {
    "IntervalSeconds": (0, 43_200),
    "BackoffRate": (0, None),
    "MaxAttempts": (1, 20),
    "ExpireAfterMin": (0, 14_400),
}
_RETRY_KEYS: Final = ("ExceptionType", *_RETRY_NUMBERS)


def dependencies(entry: Entry) -> Iterator[tuple[str, Path]]:
    """Yield every step name in a step's `DependsOn`, with its place."""
    listed = entry.step.get("DependsOn")
    for index, item in enumerate(listed if isinstance(listed, list) else []):
        path = (*entry.path, "DependsOn", index)
        if isinstance(item, str):
            yield item, path
        elif isinstance(item, dict) and isinstance(item.get("Step"), str):
            yield item["Step"], (*path, "Step")


def check_depends_on(definition: Definition, entry: Entry) -> Iterator[Finding]:
    """Yield what is wrong with `DependsOn`; order and branches are checked elsewhere."""
    listed = entry.step.get("DependsOn")
    if listed is None:
        return
    path = (*entry.path, "DependsOn")
    if not isinstance(listed, list):
        yield error("SP510", path, "`DependsOn` has to be a list")
        return
    for index, item in enumerate(listed):
        yield from _check_dependency_form(item, (*path, index))
    for name, place in dependencies(entry):
        target = definition.steps.get(name)
        if target is None:
            yield error(
                "SP516",
                place,
                f"there is no step `{name}`",
                suggestion(name, definition.steps),
            )
        elif target.known is not None and target.known.terminal:
            message = f"`{name}` is a {target.type} step, nothing can wait for it"
            yield error("SP510", place, message)


def _check_dependency_form(item: Json, path: Path) -> Iterator[Finding]:
    if isinstance(item, str):
        return
    if not isinstance(item, dict) or not isinstance(item.get("Step"), str):
        yield error(
            "SP510",
            path,
            "an entry of `DependsOn` has to name a step",
            'write "<step>" or {"Step": "<step>", "Trigger": "Failed"}',
        )
        return
    for key in item:
        if key not in ("Step", "Trigger"):
            yield error_on_key(
                "SP510",
                (*path, key),
                f"unknown key `{key}` in `DependsOn`",
                suggestion(key, ("Step", "Trigger")),
            )
    trigger = item.get("Trigger")
    if trigger is not None and trigger not in TRIGGERS:
        yield error(
            "SP510",
            (*path, "Trigger"),
            f"`{trigger}` is no trigger",
            suggestion(str(trigger), TRIGGERS),
        )


def check_cache(entry: Entry, step_type: StepType | None) -> Iterator[Finding]:
    """Yield what is wrong with `CacheConfig`."""
    config = entry.step.get("CacheConfig")
    if config is None:
        return
    path = (*entry.path, "CacheConfig")
    if step_type is not None and step_type.cache is None:
        yield error_on_key("SP508", path, f"a `{entry.type}` step cannot be cached")
    if not isinstance(config, dict):
        yield error("SP508", path, "`CacheConfig` has to be an object")
        return
    for key in config:
        if key not in _CACHE_KEYS:
            yield error_on_key(
                "SP508",
                (*path, key),
                f"unknown key `{key}` in `CacheConfig`",
                suggestion(key, _CACHE_KEYS),
            )
    if not isinstance(config.get("Enabled"), bool):
        place = (*path, "Enabled") if "Enabled" in config else path
        yield error("SP508", place, "`Enabled` has to be true or false")
    yield from _check_expiry(config, path)


def _check_expiry(config: JsonObject, path: Path) -> Iterator[Finding]:
    expiry = config.get("ExpireAfter")
    if expiry is None:
        if config.get("Enabled") is True:
            yield error(
                "SP508",
                path,
                "`ExpireAfter` is missing while the cache is enabled",
                'write a duration, as "P30D"',
            )
        return
    place = (*path, "ExpireAfter")
    text = expiry if isinstance(expiry, str) else ""
    close = meant(text)
    help_text = f"did you mean `{close}`?" if close else 'write ISO 8601, as "P30D"'
    if parse_loose(text) is None:
        yield error("SP508", place, f"`{expiry}` is not a duration", help_text)
    elif parse_iso(text) is None:
        yield warning("SP508", place, f"`{expiry}` is not written as ISO 8601 demands", help_text)


def check_retries(entry: Entry, step_type: StepType | None) -> Iterator[Finding]:
    """Yield what is wrong with `RetryPolicies`."""
    policies = entry.step.get("RetryPolicies")
    if policies is None:
        return
    path = (*entry.path, "RetryPolicies")
    if step_type is not None and not step_type.retry_types:
        yield error_on_key("SP509", path, f"a `{entry.type}` step takes no retry policy")
    if not isinstance(policies, list):
        yield error("SP509", path, "`RetryPolicies` has to be a list")
        return
    for index, policy in enumerate(policies):
        if isinstance(policy, dict):
            yield from _check_policy(policy, (*path, index))
            yield from _check_exceptions(policy, (*path, index), step_type)
        else:
            yield error("SP509", (*path, index), "a retry policy has to be an object")


def _check_policy(policy: JsonObject, path: Path) -> Iterator[Finding]:
    for key, value in policy.items():
        if key not in _RETRY_KEYS:
            yield error_on_key(
                "SP509",
                (*path, key),
                f"unknown key `{key}` in a retry policy",
                suggestion(key, _RETRY_KEYS),
            )
        elif key in _RETRY_NUMBERS and value is not None:
            yield from _check_retry_number(value, key, path)
    ends = [key for key in ("MaxAttempts", "ExpireAfterMin") if policy.get(key) is not None]
    if len(ends) > 1:
        yield error("SP509", path, "only one of `MaxAttempts` and `ExpireAfterMin` may stand")


def _check_retry_number(value: Json, key: str, path: Path) -> Iterator[Finding]:
    low, high = _RETRY_NUMBERS[key]
    whole = key != "BackoffRate"
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        yield error("SP509", (*path, key), f"`{key}` has to be a {'whole ' if whole else ''}number")
    elif value < low or (high is not None and value > high):
        limit = f"{low} to {high}" if high is not None else f"at least {low}"
        yield error("SP509", (*path, key), f"`{key}` is {value}, but has to be {limit}")


def _check_exceptions(
    policy: JsonObject, path: Path, step_type: StepType | None
) -> Iterator[Finding]:
    given = policy.get("ExceptionType")
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not listed:
        yield error("SP509", path, "a retry policy needs a list `ExceptionType`")
        return
    for name in listed:
        place = (*path, "ExceptionType")
        if name not in FAULTS:
            yield error(
                "SP509",
                place,
                f"`{name}` is no exception type",
                suggestion(str(name), FAULTS),
            )
        elif step_type is not None and step_type.retry_types:
            allowed = step_type.retry_types
            if name not in allowed:
                yield error(
                    "SP509",
                    place,
                    f"a `{step_type.name}` step cannot retry `{name}`",
                    "it takes " + ", ".join(allowed),
                )
