"""Step caching by the service's key attributes (FACTS 1.9)."""

from __future__ import annotations

import hashlib
import json

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.objects import ObjectStore, parse_uri
from pipelines.backends.local.state.executions import ExecutionStore, StepRecord
from pipelines.frozen import frozen
from pipelines.grammar.durations import meant, parse_loose
from pipelines.json_types import JsonObject
from pipelines.steptypes import StepType
from pipelines.steptypes.caching import compared
from pipelines.steptypes.places import value_at


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
class StepCache:
    """Earlier results of the steps of one pipeline.

    The service looks for "a previous run of your current pipeline step": the step's name counts
    beside the key. Results that were themselves taken from the cache are not candidates, so a
    result expires however often it was reused.
    """

    store: ExecutionStore
    objects: ObjectStore
    pipeline: str

    def find(self, step: JsonObject, key: str, now: float) -> tuple[StepRecord, str] | None:
        """Find the newest result that has not expired, with the ARN of its execution.

        A result whose outputs are no longer in the object store is skipped. The service would
        reuse it, and the next step would fail on missing data; here the store is a folder that
        people clean by hand, and the step should run again.

        Raises:
            ServiceError: ValidationException, when `ExpireAfter` is not a duration.
        """
        expiry = (step.get("CacheConfig") or {}).get("ExpireAfter")
        oldest = now - _seconds(str(expiry)) if expiry is not None else 0.0
        for record, arn in self.store.successes(self.pipeline, str(step["Name"]), key):
            if (record.ended or 0.0) < oldest:
                return None
            if all(holds_objects(self.objects, uri) for uri in record.outputs):
                return record, arn
        return None


def _seconds(expiry: str) -> int:
    found = parse_loose(expiry)
    if found is None:
        advice = f"write `{meant(expiry) or 'P30D'}`"
        raise invalid(f"`ExpireAfter: {expiry}` is not an ISO 8601 duration", advice)
    return found.seconds


def written_outputs(
    properties: JsonObject, objects: ObjectStore, step_type: StepType | None
) -> tuple[str, ...]:
    """List the output URIs of a Describe response that hold an object."""
    places = step_type.outputs if step_type is not None else ()
    found = (value_at(e, p.uri) for p in places for _, e in p.entries(properties))
    uris = {uri for uri in found if isinstance(uri, str) and uri.startswith("s3://")}
    return tuple(uri for uri in sorted(uris) if holds_objects(objects, uri))


def holds_objects(objects: ObjectStore, uri: str) -> bool:
    """Return whether a URI is an object or a folder with objects (`train` is not `train_raw`)."""
    exact = parse_uri(uri).uri
    folder = exact.rstrip("/") + "/"
    return any(item.uri == exact or item.uri.startswith(folder) for item in objects.list(uri))
