"""Which steps of the next execution miss their cache, and why.

The comparison is with an execution of what is deployed, by the attributes that the service
compares (FACTS 1.9), with the parameters' defaults. What an older version left in the cache is
not known here: such a step may be taken from it after all.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from pipelines.definition.gets import gets_in
from pipelines.frozen import frozen
from pipelines.grammar.functions import GET, PARAMETERS, ReferenceTarget
from pipelines.grammar.paths import ValuePath
from pipelines.json_types import Json, JsonObject
from pipelines.plan.diff import Change, ChangeKind, diff, same
from pipelines.plan.symbols import CacheOutcome, ExecutionValues, assume_kept
from pipelines.steptypes import StepType, find
from pipelines.steptypes.caching import compared


class Cause(StrEnum):
    """Why a step misses."""

    NEW = "new"
    NOT_CACHED_BEFORE = "not-cached-before"
    CHANGED = "changed"
    PARAMETER = "parameter"
    UPSTREAM = "upstream"
    EXECUTION = "execution"


@frozen
class Reason:
    """One reason.

    Args:
        cause: its kind.
        path: of a change: where in the step.
        name: of a parameter: its name; of an upstream step: its name.
        before: of a change or a parameter: what was there.
        after: and what is there now.
    """

    cause: Cause
    path: ValuePath = ()
    name: str = ""
    before: Json = None
    after: Json = None


@frozen
class Miss:
    """A cached step that runs again.

    Args:
        step: its name.
        reasons: why; the first of a kind is enough for a person.
        certain: whether it is known; where a value is read from a file that is written anew, it
            may be the same again.
    """

    step: str
    reasons: tuple[Reason, ...]
    certain: bool = True


def misses(before: JsonObject, after: JsonObject) -> tuple[Miss, ...]:
    """Predict which cached steps of a definition run again.

    Args:
        before: the definition that is deployed, and ran.
        after: the one that is to run next.
    """
    prediction = _Prediction(before, after)
    found = (prediction.of(name) for name in prediction.next.steps)
    return tuple(miss for miss in found if miss is not None)


class _Prediction:
    """Predicts each step once; steps upstream first."""

    def __init__(self, before: JsonObject, after: JsonObject) -> None:
        self.last = ExecutionValues(before)
        self.next = ExecutionValues(after, self.last, self._outcome)
        self._known: dict[str, Miss | None] = {}
        self._open: set[str] = set()

    def of(self, name: str) -> Miss | None:
        """Return why a step misses; None where it is taken from the cache, or never is."""
        if name not in self._known:
            self._open.add(name)
            self._known[name] = self._predict(name)
            self._open.discard(name)
        return self._known[name]

    def _outcome(self, name: str) -> CacheOutcome:
        """Return whether a step's result is taken from the cache."""
        step = self.next.steps.get(name)
        if step is None or name in self._open or not _is_cached(step.apart):
            return CacheOutcome.MISS
        miss = self.of(name)
        if miss is None:
            return CacheOutcome.HIT
        return CacheOutcome.MISS if miss.certain else CacheOutcome.UNSURE

    def _predict(self, name: str) -> Miss | None:
        step = self.next.steps[name].apart
        if not _is_cached(step):
            return None
        old = self.last.steps.get(name)
        if old is None:
            return Miss(name, (Reason(Cause.NEW),))
        if not _is_cached(old.apart):
            return Miss(name, (Reason(Cause.NOT_CACHED_BEFORE),))
        was = _key(old.apart, self.last.arguments(name))
        now = _key(step, self.next.arguments(name))
        if same(was, now):
            return None
        reasons: list[Reason] = []
        for reason in self._reasons(old.apart, step):
            if reason not in reasons:
                reasons.append(reason)
        return Miss(name, tuple(reasons), certain=not same(was, assume_kept(now)))

    def _reasons(self, old: JsonObject, new: JsonObject) -> Iterator[Reason]:
        """Yield what is behind a miss: what is written differently, then what refers to news."""
        written = [_written(old), _written(new)]
        differences = [c for c in diff(*written) if self._matters(c)]
        for change in differences:
            yield Reason(Cause.CHANGED, change.path, "", change.before, change.after)
        for get in gets_in(written[1], ()):
            value = {GET: get.target.text}
            was, now = self.last.value(value), self.next.value(value)
            if not same(was, now):
                yield self._behind(get.target, was, now)

    def _matters(self, change: Change) -> bool:
        """Leave out what is written differently and is worth the same."""
        return change.kind is not ChangeKind.CHANGED or not same(
            self.last.value(change.before), self.next.value(change.after)
        )

    def _behind(self, target: ReferenceTarget, was: Json, now: Json) -> Reason:
        if target.step is not None:
            return Reason(Cause.UPSTREAM, name=target.step)
        if target.root == PARAMETERS:
            return Reason(Cause.PARAMETER, (), target.name, was, now)
        return Reason(Cause.EXECUTION, name=target.name)


def _is_cached(step: JsonObject) -> bool:
    return compared(step, {}, _type(step)) is not None


def _type(step: JsonObject) -> StepType | None:
    return find(str(step.get("Type")))


def _key(step: JsonObject, arguments: JsonObject) -> Json:
    return compared(step, arguments, _type(step))


def _written(step: JsonObject) -> JsonObject:
    """Return the Type and the key attributes as they are written, at their paths."""
    key = _key(step, step.get("Arguments") or {}) or [None, {}]
    return {"Type": key[0], "Arguments": key[1]}
