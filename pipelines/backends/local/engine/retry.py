"""`RetryPolicies` of a step: how long to wait before the next attempt (FACTS 1.10)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.json_types import JsonObject

_INTERVAL_SECONDS = 1
_BACKOFF_RATE = 2.0
_MAX_ATTEMPTS = 5
_LONGEST_WAIT = 28 * 86_400.0
"""Seconds: no step of the service runs longer (MaxRuntimeInSeconds)."""


@dataclass(slots=True)
class StepRetries:
    """The retries of one step; each policy counts its own.

    Args:
        policies: the step's `RetryPolicies`. MaxAttempts counts the retries, not the first
            attempt; a policy with ExpireAfterMin counts minutes instead.
        started: when the step's first attempt began, seconds since 1970.
    """

    policies: list[JsonObject]
    started: float
    _used: dict[int, int] = field(default_factory=dict)

    def wait_after(self, fault: str | None, now: float) -> float | None:
        """Return how many seconds to wait after a fault; None when the step has failed."""
        for index, policy in enumerate(self.policies):
            kinds = policy.get("ExceptionType", [])
            if fault in ([kinds] if isinstance(kinds, str) else kinds):
                return self._next(index, policy, now)
        return None

    def _next(self, index: int, policy: JsonObject, now: float) -> float | None:
        used = self._used.get(index, 0)
        wait = _wait(policy, used)
        if "ExpireAfterMin" in policy:
            expired = now + wait > self.started + policy["ExpireAfterMin"] * 60
        else:
            expired = used >= policy.get("MaxAttempts", _MAX_ATTEMPTS)
        if expired:
            return None
        self._used[index] = used + 1
        return wait


def _wait(policy: JsonObject, used: int) -> float:
    """Return the seconds before the next attempt: no more than a step may take at all."""
    seconds = float(policy.get("IntervalSeconds", _INTERVAL_SECONDS))
    try:
        grown = seconds * float(policy.get("BackoffRate", _BACKOFF_RATE)) ** used
    except OverflowError:
        return _LONGEST_WAIT
    return min(grown, _LONGEST_WAIT)
