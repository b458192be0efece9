"""One reference → the value in the definition, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from typing import NoReturn

from pipelines.diagnostics import Path
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import listed
from pipelines.frozen import frozen
from pipelines.grammar.functions import Get, JsonGet, PropertyFile, Value, concatenate
from pipelines.json_types import Json
from pipelines.kinds.base.contract import Output
from pipelines.spec.references import ROOTS, Reference, Template
from pipelines.steptypes import UNDOCUMENTED, StepType
from pipelines.steptypes.shapes import PathProblem, member_at, shapes_of

EXECUTION = {
    "id": "PipelineExecutionId",
    "arn": "PipelineExecutionArn",
    "start_time": "StartDateTime",
    "pipeline_name": "PipelineName",
}
"""The words of `${execution.…}` and the execution variables they stand for (FACTS 1.6)."""


class UnresolvedError(Exception):
    """A reference to something that is not there."""

    def __init__(self, code: str, problem: str, help: str) -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem
        self.help = help


@frozen
class StepOutputs:
    """What the resolver has to know of a step."""

    type: StepType
    outputs: Mapping[str, Output]


@frozen
class Resolver:
    """Turns references into values.

    Args:
        parameters: the names of the pipeline's parameters.
        data: for each entry of `data:` its URI.
        steps: the steps by name.
        unread: what of the document could not be read, but may well be meant.
    """

    parameters: Collection[str]
    data: Mapping[str, Value]
    steps: Mapping[str, StepOutputs]
    unread: frozenset[Path] = frozenset()
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)

    def value(self, value: Json) -> Value:
        """Resolve a literal, a reference or a template.

        Raises:
            UnresolvedError: see `reference`.
        """
        match value:
            case Reference():
                return self.reference(value)
            case Template(segments=segments):
                parts = [s if isinstance(s, str) else self.reference(s) for s in segments]
                if all(isinstance(part, str) for part in parts):
                    return "".join(str(part) for part in parts)
                return parts[0] if len(parts) == 1 else concatenate(parts)
            case _:
                literal: Value = value
                return literal

    def reference(self, reference: Reference) -> Value:
        """Resolve one reference.

        Raises:
            UnresolvedError: nothing of that name, or no value at that path.
        """
        match reference.root:
            case "parameters":
                name = self._named(reference, self.parameters, "parameter")
                return Get(f"Parameters.{name}")
            case "data":
                return self.data[self._named(reference, self.data, "data entry")]
            case "execution":
                name = self._named(reference, EXECUTION, "execution variable")
                return Get(f"Execution.{EXECUTION[name]}")
            case "steps":
                return self._step(reference)
            case "env":  # `pipelines.spec.environ` replaces those that name a variable
                problem = f"`{reference}` does not name one environment variable"
                raise UnresolvedError("SP203", problem, "write `env.NAME`")
            case root:
                close = nearest(root, ROOTS)
                raise UnresolvedError(
                    "SP203",
                    f"`{reference}` refers to nothing",
                    f"did you mean `{close}`?"
                    if close
                    else f"a reference begins with {_any_of(ROOTS)}",
                )

    def _named(self, reference: Reference, known: Collection[str], what: str) -> str:
        if len(reference.parts) != 2:
            raise UnresolvedError(
                "SP203",
                f"`{reference}` does not name one {what}",
                f"write `{reference.root}.NAME` with one of {_any_of(known)}"
                if known
                else f"there is no {what} yet",
            )
        name = reference.name
        if name not in known:
            named = self._with_unread(known, reference.root)
            _unknown(f"there is no {what} `{name}`", name, named, what)
        return name

    def _with_unread(self, known: Iterable[str], root: str) -> tuple[str, ...]:
        if root not in self._known:
            unread = (str(p[1]) for p in sorted(self.unread, key=str) if p[:-1] == (root,))
            self._known[root] = tuple(dict.fromkeys((*known, *unread)))
        return self._known[root]

    def _step(self, reference: Reference) -> Value:
        name = reference.name
        step = self.steps.get(name)
        if step is None and name:
            named = self._with_unread(self.steps, "steps")
            _unknown(f"there is no step `{name}`", name, named, "step")
        if step is None or len(reference.parts) < 3:
            known = _any_of(f"steps.{name}.{output}" for output in step.outputs) if step else ""
            names = "names a step, not one of its outputs" if step else "names no step"
            raise UnresolvedError(
                "SP205",
                f"`{reference}` {names}",
                f"one of {known}" if known else "write `steps.NAME.OUTPUT`",
            )
        output_name, path = str(reference.parts[2]), reference.parts[3:]
        if output_name == "properties":
            return _property(reference, step.type)
        output = step.outputs.get(output_name)
        if output is None:
            if not step.outputs:
                raise UnresolvedError(
                    "SP205", f"step `{name}` has no outputs", "refer to another step"
                )
            _unknown(
                f"step `{name}` has no output `{output_name}`",
                output_name,
                tuple(step.outputs),
                "output",
            )
        return _below(reference, output, path)


def _below(reference: Reference, output: Output, path: tuple[str | int, ...]) -> Value:
    if not path:
        if output.value is not None:
            return output.value
        problem = f"`{reference}` needs a name after it"
        parts = (*output.members, *output.paths, *output.inner)
        known = _any_of(_next(reference, part) for part in parts)
        raise UnresolvedError("SP205", problem, f"one of {known}")
    if output.inner:
        return _below(reference, _inner(reference, output, path[0]), path[1:])
    if output.json is not None:
        if output.paths and reference.below(3) not in output.paths:
            below = reference.below(3)
            _unknown(f"`{reference}` has no value", below, output.paths, "name")
        return JsonGet(PropertyFile(*output.json), reference.below(3))
    name = str(path[0])
    if name in output.members and len(path) == 1:
        return output.members[name]
    if output.members:
        _unknown(f"`{reference}` has no value", name, tuple(output.members), "name")
    raise UnresolvedError(
        "SP205",
        f"`{reference}` has no value: nothing lies below that output",
        "only JSON reports have a path below them; declare one under `reports:`",
    )


def _inner(reference: Reference, output: Output, part: str | int) -> Output:
    """Return the output below another; one that counts its entries has no names."""
    inner = output.inner.get(part)
    if inner is not None:
        return inner
    indexes = [one for one in output.inner if isinstance(one, int)]
    if indexes:
        problem = f"`{reference}` has no value"
        raise UnresolvedError("SP205", problem, f"write an index from 0 to {max(indexes)}")
    return _unknown(f"`{reference}` has no value", str(part), (*map(str, output.inner),), "name")


def _next(reference: Reference, part: str | int) -> str:
    return f"{reference}[{part}]" if isinstance(part, int) else f"{reference}.{part}"


def _property(reference: Reference, step_type: StepType) -> Value:
    step, path = reference.name, reference.below(3)
    if step_type.name in UNDOCUMENTED:
        return Get(f"Steps.{step}.{path}")
    member = member_at(shapes_of(step_type), path)
    if isinstance(member, PathProblem):
        raise UnresolvedError("SP205", f"step `{step}`: {member.message}", member.help or "")
    return Get(f"Steps.{step}.{path}")


def _unknown(problem: str, name: str, known: tuple[str, ...], what: str) -> NoReturn:
    close = nearest(name, known)
    many = f"{what.removesuffix('y')}ies" if what.endswith("y") else f"{what}s"
    advice = f"did you mean `{close}`?" if close else f"{many}: {_any_of(known)}"
    code = "SP204" if what == "step" else "SP205" if what in {"output", "name"} else "SP203"
    raise UnresolvedError(code, problem, advice)


def _any_of(names: Iterable[str]) -> str:
    return listed(names) or "none (there is none yet)"
