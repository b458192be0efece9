"""Which executions may go, and why the others stay."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from itertools import groupby

from pipelines.backends.local.state.traces import ExecutionTrace, TraceStore
from pipelines.execution.status import ExecutionStatus
from pipelines.frozen import frozen

_ID = re.compile(r"(?<![a-z0-9])[a-z0-9]{12}(?![a-z0-9])")
_OPEN = frozenset({ExecutionStatus.EXECUTING, ExecutionStatus.STOPPING})


@frozen
class PruneRules:
    """What may be removed.

    Args:
        before: executions that were started later stay; seconds since 1970.
        keep: how many of the newest executions of each pipeline stay.
        executions: whether executions are removed at all.
        unused_since: what nothing needs stays, too, where it was used later.
        folders_before: folders of failed jobs stay where they were written later.
    """

    before: float = math.inf
    keep: int = 0
    executions: bool = False
    unused_since: float = 0.0
    folders_before: float = math.inf


@frozen
class Choice:
    """The executions that may go, the newest first, and why each other one stays.

    Args:
        removed: those that may go.
        versions: the versions of definitions that only these have run: pipeline, number.
        kept: id → why it stays.
    """

    removed: tuple[ExecutionTrace, ...]
    versions: frozenset[tuple[str, int]]
    kept: Mapping[str, str]


def choose(traces: TraceStore, rules: PruneRules) -> Choice:
    """Choose what may go by what the state has now."""
    known = traces.all()
    if not rules.executions:
        return Choice((), frozenset(), {})
    kept = {**_by_rules(known, rules), **_successes(known), **_named(known, traces.naming())}
    kept |= {one.id: "it has not ended" for one in known if one.status in _OPEN}
    _add_sources(kept, traces.sources(), {one.id for one in known})
    removed = tuple(one for one in known if one.id not in kept)
    ran = {(one.pipeline, one.version) for one in known if one.id in kept}
    latest = traces.latest_versions()
    versions = frozenset(
        (one.pipeline, one.version)
        for one in removed
        if one.version is not None
        and (one.pipeline, one.version) not in ran
        and one.version != latest.get(one.pipeline)
    )
    return Choice(removed, versions, kept)


def _by_rules(known: list[ExecutionTrace], rules: PruneRules) -> dict[str, str]:
    kept: dict[str, str] = {}
    for _, group in groupby(sorted(known, key=lambda one: one.pipeline), lambda one: one.pipeline):
        for number, one in enumerate(group):
            if number < rules.keep:
                kept[one.id] = f"it is one of the newest {rules.keep} of its pipeline"
            elif one.created >= rules.before:
                kept[one.id] = "it is too recent"
    return kept


def _successes(known: list[ExecutionTrace]) -> dict[str, str]:
    """Keep the newest success of each pipeline."""
    kept: dict[str, str] = {}
    succeeded: set[str] = set()
    for one in known:
        if one.status is ExecutionStatus.SUCCEEDED and one.pipeline not in succeeded:
            succeeded.add(one.pipeline)
            kept[one.id] = "it is the newest success of its pipeline"
    return kept


def _named(known: list[ExecutionTrace], naming: Iterable[tuple[str, str]]) -> dict[str, str]:
    ids = {one.id for one in known}
    return {found: why for why, text in naming for found in ids.intersection(_ID.findall(text))}


def _add_sources(kept: dict[str, str], sources: Mapping[str, set[str]], known: set[str]) -> None:
    """Keep those, too, whose results the kept ones use: their outputs and their cache entries."""
    found = [*kept]
    while found:
        user = found.pop()
        for source in sources.get(user, set()) & known - kept.keys():
            kept[source] = f"{user} uses its results"
            found.append(source)
