"""Removes executions and leftovers: chosen, shown by the command, then removed.

Executions leave the state first, in the transaction that has chosen them again: from then on no run
can take their results. Their files follow, the folder of the logs last: it is marked before, so
that `find` lists what a process that was killed between has left.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipelines.backends.local.kept import kept_folders
from pipelines.backends.local.pruning import leftovers
from pipelines.backends.local.pruning.choosing import Choice, PruneRules, choose
from pipelines.backends.local.pruning.leftovers import Leftover
from pipelines.backends.local.state.local_state import LocalState
from pipelines.backends.local.state.locks import is_held
from pipelines.definition.needs import uris_in
from pipelines.frozen import frozen

_STAGING_SECONDS = 60.0
"""How long a command takes at most from staging an object until the state names it."""


@frozen
class Prunable:
    """What can be removed.

    Args:
        executions: id → how it is shown, and the bytes of all that it has left.
        unfinished: the same of those whose removal was interrupted.
        kept: id → why an execution stays.
        jobs: folders of failed and debugged jobs.
        others: objects that nothing names, environments, samples and other leftovers.
    """

    executions: Mapping[str, tuple[str, int]]
    unfinished: Mapping[str, tuple[str, int]]
    kept: Mapping[str, str]
    jobs: tuple[Leftover, ...]
    others: tuple[Leftover, ...]


class LocalPruning:
    """Prunes one `.pipelines` folder; other processes may use it meanwhile.

    Args:
        home: the folder.
        state: its state.
    """

    def __init__(self, home: Path, state: LocalState) -> None:
        self._home = home
        self._state = state

    def find(self, rules: PruneRules) -> Prunable:
        """Find what the rules allow to remove."""
        choice = choose(self._state.traces, rules)
        half = leftovers.marked(self._home) - {one.id for one in self._state.traces.all()}
        names = {one.id: one.shown for one in choice.removed}
        sizes = dict.fromkeys((*names, *sorted(half)), 0)
        theirs: set[Path] = set()
        for one, path in leftovers.folders_of(self._home, sizes):
            theirs.add(path)
            sizes[one] += leftovers.size_of(path)
        return Prunable(
            {one: (name, sizes[one]) for one, name in names.items()},
            {one: (f"{one}, removed before", sizes[one]) for one in sorted(half)},
            choice.kept,
            tuple(one for one in self._failed(rules) if one.path not in theirs),
            tuple(self._unused(choice, rules)),
        )

    def remove(self, rules: PruneRules, found: Prunable) -> None:
        """Remove what was found, as far as the rules still allow it."""
        with self._state.transaction():
            choice = choose(self._state.traces, rules)
            gone = {one.id for one in choice.removed} & found.executions.keys()
            kept = {(e.pipeline, e.version) for e in choice.removed if e.id not in gone}
            leftovers.mark(self._home, gone)
            self._state.traces.remove(gone, choice.versions - kept)
            known = {one.id for one in self._state.traces.all()}
        ids = (found.executions.keys() | found.unfinished.keys()) - known
        for _, path in [*leftovers.folders_of(self._home, ids)]:
            leftovers.delete(path)
        self._remove_others(rules, found)
        for record in leftovers.stale_records(self._home):
            record.unlink(missing_ok=True)

    def _failed(self, rules: PruneRules) -> Iterator[Leftover]:
        for folder in kept_folders(self._home):
            recent = leftovers.last_written(folder) >= rules.folders_before
            if not recent and not _is_locked(folder.with_name(f"{folder.name}.lock")):
                yield Leftover(folder, leftovers.size_of(folder))

    def _unused(self, choice: Choice, rules: PruneRules) -> Iterator[Leftover]:
        since = rules.unused_since
        yield from self._unused_objects(choice, since)
        yield from leftovers.unused_folders(self._home, since)
        with _no_jobs(self._home) as idle:
            if idle:
                yield from leftovers.unused_environments(self._home, since)

    def _unused_objects(self, choice: Choice, since: float) -> Iterator[Leftover]:
        traces = self._state.traces
        texts = [text for _, text in traces.naming()]
        texts += traces.definitions({one.id for one in choice.removed}, choice.versions)
        in_use = {uri for text in texts for uri in uris_in(text)}
        staged = time.time() - _STAGING_SECONDS
        yield from leftovers.unused_objects(self._home, in_use, min(since, staged))

    def _remove_others(self, rules: PruneRules, found: Prunable) -> None:
        environments = [one.path for one in found.others if one.path.parent.name == "env"]
        with _no_jobs(self._home) as idle:
            aside = [leftovers.set_aside(path) for path in environments if idle and path.exists()]
        for path in (*(one.path for one in found.jobs), *aside):
            leftovers.delete(path)
        nothing, since = Choice((), frozenset(), {}), rules.unused_since
        unused = [
            *self._unused_objects(nothing, since),
            *leftovers.unused_folders(self._home, since),
        ]
        shown = {one.path for one in found.others}
        for one in unused:
            if one.path in shown:  # and nothing has begun to use it meanwhile
                leftovers.delete(one.path)


@contextmanager
def _no_jobs(home: Path) -> Iterator[bool]:
    """Yield whether no job runs; none begins meanwhile."""
    jobs = home / "jobs"
    with ExitStack() as stack:
        if jobs.is_dir():
            guard = stack.enter_context((jobs / ".guard").open("w"))
            fcntl.flock(guard, fcntl.LOCK_EX)
        yield not any(_is_locked(lock) for lock in jobs.glob("*.lock"))


def _is_locked(lock: Path) -> bool:
    try:
        with lock.open() as file:
            return is_held(file)
    except FileNotFoundError:
        return False
