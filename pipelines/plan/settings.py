"""The configuration of a step's job as it is deployed, and as it is now → which keys differ.

The configuration lies in the step's bundle, so that a definition shows no more of it than another
hash. What a deployment does is told by the keys of its block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.grammar.paths import ValuePath
from pipelines.json_types import Json
from pipelines.kinds import modes
from pipelines.plan.diff import Change, ChangeKind, same
from pipelines.runtime.bundle import Job, parse_job
from pipelines.runtime.errors import JobError

_DEPLOYS = "deploy"
_OF_BLOCKS = frozenset({"variant", "deployment", "config", "scaling", "shadow", "batch"})
_UNSAID = frozenset({"step", "job", "program", "image"})
"""What follows from something else that a plan shows."""


def differences(before: bytes, after: bytes) -> tuple[Change, ...]:
    """Return the keys that differ between two `job.json`, each with both values."""
    try:
        was, now = dict(_keys(parse_job(before))), dict(_keys(parse_job(after)))
    except JobError:  # of another version of the tool
        return ()
    return tuple(
        Change(_kind(was, now, path), None, path, was.get(path), now.get(path))
        for path in dict.fromkeys((*was, *now))
        if path not in was or path not in now or not same(was[path], now[path])
    )


def _kind(
    was: Mapping[ValuePath, Json], now: Mapping[ValuePath, Json], path: ValuePath
) -> ChangeKind:
    if path not in was:
        return ChangeKind.ADDED
    return ChangeKind.CHANGED if path in now else ChangeKind.REMOVED


def _keys(job: Job) -> Iterator[tuple[ValuePath, Json]]:
    """Yield each key of a job's configuration with its value."""
    config = dict(job.config)
    if job.program == _DEPLOYS:
        mode = config.pop("mode")
        yield ("mode",), mode
        yield from _leaves((mode,), modes.find(mode).keys(config))
        config = {key: value for key, value in config.items() if key not in _OF_BLOCKS}
    yield from _leaves((), config)
    for name in Job._fields:
        if name not in {*_UNSAID, "config"}:
            yield from _leaves((name,), getattr(job, name))


def _leaves(path: ValuePath, value: Json) -> Iterator[tuple[ValuePath, Json]]:
    """Yield the values that hold no others by their paths; what is not given is left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    elif value not in (None, (), []):
        yield path, list(value) if isinstance(value, tuple) else value
