"""A job's row → what its Describe returns, and its entry in a list; times as recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steptypes.places import value_at

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.kind import JobKind
    from pipelines.backends.local.state.jobs import JobRecord
    from pipelines.json_types import JsonObject


def described(kind: JobKind, job: JobRecord) -> JsonObject:
    """Return the response of a job's Describe: its request, its state and its results."""
    state = job.state
    repeated = {name: value for name, value in job.request.items() if name not in kind.hidden}
    optional = {
        f"{kind.word}StartTime": state.started,
        f"{kind.word}EndTime": state.ended,
        "FailureReason": state.reason,
    }
    return {
        **repeated,
        f"{kind.word}JobName": job.name,
        f"{kind.word}JobArn": job.arn,
        f"{kind.word}JobStatus": str(state.status),
        "CreationTime": state.created,
        **{name: value for name, value in optional.items() if value is not None},
        **kind.describe(job),
        **job.results,
    }


def listed(kind: JobKind, job: JobRecord, more: JsonObject | None = None) -> JsonObject:
    """Return a job's entry in a list; `more` are members that its record does not hold."""
    full = {**(more or {}), **described(kind, job), "LastModifiedTime": job.state.modified}
    common = ("JobName", "JobArn", "JobStatus", "EndTime")
    members = (*(f"{kind.word}{name}" for name in common), "CreationTime", "LastModifiedTime")
    found = {place: value_at(full, place) for place in (*members, *kind.listed)}
    return {place.rpartition(".")[2]: value for place, value in found.items() if value is not None}
