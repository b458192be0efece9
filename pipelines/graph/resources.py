"""The resources that a spec names: groups and endpoints, which outlive an execution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pipelines import kinds
from pipelines.frozen import frozen
from pipelines.kinds.base.contract import Kind
from pipelines.spec import names
from pipelines.spec.model import PipelineSpec
from pipelines.spec.references import Template


@frozen
class NamedResource:
    """A resource as a step of the spec names it.

    Args:
        resource: what it is, as kinds declare it: `endpoint`, `model-package-group`.
        step: the step.
        key: the step's key that names it.
        written: the text or template there.
        name: the same with the defaults of parameters; None where an execution decides it.
    """

    resource: str
    step: str
    key: str
    written: str | Template
    name: str | None


def names_made(spec: PipelineSpec, made: str) -> tuple[str, ...]:
    """Name what the steps of a spec make, also of a spec that does not compile.

    What an execution decides cannot be known here.

    Args:
        spec: the spec.
        made: what is made, as kinds declare it: `endpoint`, `model-package-group`.
    """
    names = (one.name for one in resources_made(spec) if one.resource == made)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def pipelines_made(spec: PipelineSpec) -> tuple[str, ...]:
    """Name the pipelines of a spec: its own, the one that deploys, and those of its schedules."""
    found = list(names.pipelines_of(spec.pipeline))
    for name, step in spec.steps.items():
        kind = kinds.find(step.kind)
        suffixes = kind.stands_alone(name, step) if kind is not None else ()
        found += [names.standing_alone(spec.pipeline, suffix) for suffix in suffixes]
    return tuple(dict.fromkeys(found))


def resources_made(spec: PipelineSpec) -> Iterator[NamedResource]:
    """Yield what the steps make."""
    return _named(spec, lambda kind: kind.makes)


def counterpart(spec: PipelineSpec, other: PipelineSpec, made: str, name: str) -> str:
    """Name what the step that makes something in a spec makes in that of another environment.

    It is the same name where no step makes it, or where the other spec has no such step.
    """
    there = {one.step: one.name for one in resources_made(other) if one.resource == made}
    here = (one.step for one in resources_made(spec) if (one.resource, one.name) == (made, name))
    return next(filter(None, map(there.get, here)), name)


def resources_used(spec: PipelineSpec) -> Iterator[NamedResource]:
    """Yield what the steps use by its name; they, or another pipeline, make it."""
    return _named(spec, lambda kind: kind.uses)


def _named(
    spec: PipelineSpec, declared: Callable[[Kind], Mapping[str, str]]
) -> Iterator[NamedResource]:
    for name, step in spec.steps.items():
        kind = kinds.find(step.kind)
        for resource, key in declared(kind).items() if kind else ():
            written = getattr(step, key)
            if written is not None:
                yield NamedResource(resource, name, key, written, _known(spec, written))


def _known(spec: PipelineSpec, value: object) -> str | None:
    if isinstance(value, Template):
        parts = [_default(spec, p.parts) if not isinstance(p, str) else p for p in value.segments]
        return None if None in parts else "".join(map(str, parts))
    return value if isinstance(value, str) else None


def _default(spec: PipelineSpec, reference: tuple[str | int, ...]) -> object:
    match reference:
        case ("parameters", str(name)) if name in spec.parameters:
            return spec.parameters[name].default
        case _:
            return None
