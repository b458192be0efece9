"""Checks `RetryPolicies`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.findings import Keys, error, error_on_key, warning
from pipelines.definition.steps import Definition, Step
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import in_words, suggestion
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType
from pipelines.steptypes.steptype import FAULTS

_NUMBERS: Final = {
    "IntervalSeconds": (0, 43_200),
    "BackoffRate": (0, None),
    "MaxAttempts": (1, 20),
    "ExpireAfterMin": (0, 14_400),
}
_KEYS: Final = Keys("SP509", "a retry policy", ("ExceptionType", *_NUMBERS))


def check(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with the retry policies of each step that has some."""
    for step in definition.steps:
        policies = step.whole.get("RetryPolicies")
        if policies is not None:
            yield from _check_policies(step, policies)


def _check_policies(step: Step, policies: Json) -> Iterator[Finding]:
    path, step_type = (*step.path, "RetryPolicies"), step.known
    if step_type is not None and not step_type.retry_types:
        yield error_on_key("SP509", path, f"a `{step.type}` step cannot have a retry policy")
    if not isinstance(policies, list):
        yield error("SP509", path, "`RetryPolicies` has to be a list")
        return
    seen = set[Json]()
    for index, policy in enumerate(policies):
        if isinstance(policy, dict):
            yield from _check_policy(policy, (*path, index), step_type)
            yield from _check_repeated(policy, (*path, index), seen)
        else:
            yield error("SP509", (*path, index), "a retry policy has to be an object")


def _check_repeated(policy: JsonObject, path: Path, seen: set[Json]) -> Iterator[Finding]:
    """Warn of exception types that an earlier policy, or the same one, names already."""
    for name in _listed(policy):
        if name in seen:
            message = f"`{name}` is named twice in the retry policies"
            yield warning("SP509", (*path, "ExceptionType"), message, "keep it in one of them")
        seen.add(name)


def _listed(policy: JsonObject) -> list[str]:
    """Return the known exception types of a policy."""
    given = policy.get("ExceptionType")
    listed = [given] if isinstance(given, str) else given
    return [one for one in listed if one in FAULTS] if isinstance(listed, list) else []


def _check_policy(policy: JsonObject, path: Path, step_type: StepType | None) -> Iterator[Finding]:
    mistakes = _KEYS.compare(policy)
    yield from _KEYS.unknown(mistakes, path)
    for key in _NUMBERS:
        if policy.get(key) is not None:
            yield from _check_number(policy[key], key, path)
    ends = [key for key in ("MaxAttempts", "ExpireAfterMin") if policy.get(key) is not None]
    if len(ends) > 1:
        yield error("SP509", path, "only one of `MaxAttempts` and `ExpireAfterMin` may stand")
    if not mistakes.means("ExceptionType"):
        yield from _check_exceptions(policy, path, step_type)


def _check_number(value: Json, key: str, path: Path) -> Iterator[Finding]:
    low, high = _NUMBERS[key]
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
    place = (*path, "ExceptionType")
    for name in listed:
        if name not in FAULTS:
            help_text = suggestion(name if isinstance(name, str) else "", FAULTS)
            yield error("SP509", place, f"{in_words(name)} is not an exception type", help_text)
        elif step_type is not None and step_type.retry_types and name not in step_type.retry_types:
            message = f"a `{step_type.name}` step cannot retry `{name}`"
            yield error("SP509", place, message, "it takes " + ", ".join(step_type.retry_types))
        elif step_type is not None and name in step_type.retried_inside:
            message = f"a `{step_type.name}` step does not retry `{name}`: its job retries its own"
            yield warning(
                "SP509", place, message, "remove it; `MaximumRetryAttempts` is for those jobs"
            )
