"""Step caching by the service's key attributes (FACTS 1.9)."""

from __future__ import annotations

import hashlib
import json

from pipelines.backends.local.engine.outputs import damage
from pipelines.backends.local.errors import invalid
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.state.executions import ExecutionStore, StepRecord
from pipelines.frozen import frozen
from pipelines.grammar.durations import meant, parse_loose
from pipelines.json_types import JsonObject
from pipelines.steptypes import StepType
from pipelines.steptypes.caching import compared


def cache_key(step: JsonObject, arguments: JsonObject, step_type: StepType | None) -> str | None:
    """Hash a step's Type and its key attributes; None if the step is not cached.

    Args:
        step: the step's entry in the definition.
        arguments: its arguments, resolved.
        step_type: what is known about its Type; an unknown Type is not cached.
    """
    key = compared(step, arguments, step_type)
    if key is None:
        return None
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()


@frozen
class CacheLookup:
    """What the cache has for a step.

    Args:
        result: the result to reuse; None to run the step.
        arn: the ARN of its execution.
        damaged: which file of a newer result is missing or has changed; None if there is none.
    """

    result: StepRecord | None = None
    arn: str | None = None
    damaged: str | None = None


@frozen
class StepCache:
    """Earlier results of the steps of one pipeline.

    The service looks for "a previous run of your current pipeline step": the step's name counts
    beside the key. Results that were themselves taken from the cache are not candidates, so a
    result expires however often it was reused.
    """

    store: ExecutionStore
    objects: ObjectStore
    pipeline: str

    def find(self, step: JsonObject, key: str, now: float) -> CacheLookup:
        """Find the newest result that has not expired and whose files are as the step left them.

        The service reuses the newest without looking, and the next step fails on missing data, or
        works on other data.

        Raises:
            ServiceError: ValidationException, when `ExpireAfter` is not a duration.
        """
        damaged: str | None = None
        expiry = (step.get("CacheConfig") or {}).get("ExpireAfter")
        oldest = now - _seconds(str(expiry)) if expiry is not None else 0.0
        for record, arn in self.store.successes(self.pipeline, str(step["Name"]), key):
            if (record.ended or 0.0) < oldest:
                break
            problem = damage(self.objects, record.outputs)
            if problem is None:
                return CacheLookup(record, arn, damaged)
            damaged = damaged or f"{problem} of the result of {arn.rpartition('/')[2]}"
        return CacheLookup(damaged=damaged)


def _seconds(expiry: str) -> int:
    found = parse_loose(expiry)
    if found is None:
        advice = f"write `{meant(expiry) or 'P30D'}`"
        raise invalid(f"`ExpireAfter: {expiry}` is not an ISO 8601 duration", advice)
    return found.seconds
