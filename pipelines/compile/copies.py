"""A PipelineSpec → the same pipeline as a copy of one's own (`--as`), under another name.

What the spec names and the service keeps carries the copy's name: the pipeline, and with it the
prefix in the bucket, the groups and the endpoints. Nothing downstream knows that it is a copy: the
tag that names the original is one of the spec's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines import kinds
from pipelines.diagnostics.sentences import counted
from pipelines.errors import UsageError
from pipelines.graph.resources import NamedResource, names_made, resources_made, resources_used
from pipelines.json_types import JsonObject
from pipelines.spec.model import PipelineSpec
from pipelines.spec.names import COPY_OF, copied, standing_alone
from pipelines.spec.references import Template
from pipelines.spec.steps import StepSpec

_LONGEST = {
    "pipeline": 82,  # an execution's display name is made of it in places (FACTS 12.4)
    "model-package-group": 63,
    "endpoint": 48,  # of 63: models and configurations are found by so much of it, and a hash
}
_WORDS = {"model-package-group": "model package group"}


def copy_of(spec: PipelineSpec, copy: str) -> PipelineSpec:
    """Return the copy of a spec.

    Raises:
        UsageError: a name would be longer than the service takes, or the original's own.
    """
    renamed = _Renamed(spec, copy)
    made = renamed.spec()
    _check_lengths(made, copy)
    _check_apart(spec, made, copy)
    return made


class _Renamed:
    def __init__(self, spec: PipelineSpec, copy: str) -> None:
        self._spec = spec
        self._copy = copy

    def spec(self) -> PipelineSpec:
        changed: dict[str, JsonObject] = {}
        for one in self._resources():
            changed.setdefault(one.step, {})[one.key] = self._name(one.written)
        steps = {
            name: self._own(step.model_copy(update=changed[name]) if name in changed else step)
            for name, step in self._spec.steps.items()
        }
        name = copied(self._spec.pipeline, self._copy)
        update: JsonObject = {"pipeline": name, "steps": steps}
        if self._spec.aws is not None:
            tags = {**self._spec.aws.tags, COPY_OF: self._spec.pipeline}
            update["aws"] = self._spec.aws.model_copy(update={"tags": tags})
        return self._spec.model_copy(update=update)

    def _own(self, step: StepSpec) -> StepSpec:
        kind = kinds.find(step.kind)
        return step if kind is None else kind.copied(step, self._copy)

    def _resources(self) -> Iterator[NamedResource]:
        """Yield what is renamed: what the steps make, and what of it others name again.

        A group that only another pipeline registers in is that one's: it keeps its name.
        """
        made = [*resources_made(self._spec)]
        yield from made
        own = {(one.resource, _identity(one)) for one in made}
        for one in resources_used(self._spec):
            if (one.resource, _identity(one)) in own:
                yield one

    def _name(self, written: str | Template) -> str | Template:
        if isinstance(written, Template):
            return Template((*written.segments, copied("", self._copy)))
        return copied(written, self._copy)


def _identity(one: NamedResource) -> str:
    return one.name if one.name is not None else str(one.written)


def _check_lengths(made: PipelineSpec, copy: str) -> None:
    names = [("pipeline", name) for name in _pipelines(made)]
    names += [(one.resource, one.name) for one in resources_made(made) if one.name is not None]
    excess, resource, name = max((len(n) - _LONGEST[what], what, n) for what, n in names)
    if excess <= 0:
        return
    word = _WORDS.get(resource, resource)
    raise UsageError(
        f"`--as {copy}` makes the name of the {word} {name} {len(name)} characters long, "
        f"at most {_LONGEST[resource]} are possible",
        f"choose a name of at most {counted(len(copy) - excess, 'character')}"
        if len(copy) > excess
        else f"shorten the name of the {word} in the spec: the copy's name is appended to it",
    )


def _pipelines(spec: PipelineSpec) -> Iterator[str]:
    yield spec.pipeline
    for name, step in spec.steps.items():
        kind = kinds.find(step.kind)
        for suffix in kind.stands_alone(name, step) if kind is not None else ():
            yield standing_alone(spec.pipeline, suffix)


def _check_apart(spec: PipelineSpec, made: PipelineSpec, copy: str) -> None:
    """Refuse a copy of which something would bear the name of something of the original."""
    for resource in _LONGEST:
        shared = {*names_made(spec, resource)} & {*names_made(made, resource)}
        for name in sorted(shared):
            raise UsageError(
                f"`--as {copy}`: the spec itself has the {_WORDS.get(resource, resource)} {name}",
                "choose another name",
            )
