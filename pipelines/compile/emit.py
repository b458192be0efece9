"""Graph and supplies → definitions: the pipeline's own, and those of steps that stand alone."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping

from pipelines.compile.coerce import Coercion
from pipelines.compile.supplies import Supplies
from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.grammar.functions import Get, Value, to_json
from pipelines.graph.build import resolver
from pipelines.graph.caching import cacheable
from pipelines.graph.model import Graph, Node
from pipelines.graph.resolve import UnresolvedError
from pipelines.graph.standalone import standing_alone
from pipelines.json_types import Json, JsonObject
from pipelines.kinds.base.contract import EmitContext, EmittedStep
from pipelines.spec.model import Parameter
from pipelines.spec.steps import StepSpec

VERSION = "2020-12-01"

_TRIGGERS = {"failed": "Failed", "stopped": "Stopped", "any": "Any"}


@frozen
class Emitted:
    """A definition, and what is needed to check it.

    Args:
        pipeline: the pipeline's name.
        definition: the definition.
        origins: for each of its steps the step of the spec that it comes from.
        requests: what programs of its steps will ask of the service, each as a step.
        contested: for each of its steps what of `extra:` it sets by itself, as paths below that.
    """

    pipeline: str
    definition: JsonObject
    origins: Mapping[str, str]
    requests: tuple[JsonObject, ...]
    contested: Mapping[str, tuple[Path, ...]]


def emit_all(graph: Graph, supplies: Supplies) -> tuple[Emitted, ...]:
    """Write the definitions of a graph without errors."""
    origin = graph.spec.pipeline
    return tuple(_emit(each, supplies, origin) for each in (graph, *standing_alone(graph)))


def _emit(graph: Graph, supplies: Supplies, origin: str) -> Emitted:
    context = _Context(graph, supplies, resolver(graph, supplies.data).value, origin)
    steps = {name: context.emitted(graph.nodes[name]) for name in graph.order}
    top = [name for name in graph.order if graph.nodes[name].branch is None]
    return _written(graph, steps, top)


def emit_sound(graph: Graph, supplies: Supplies, broken: Container[str]) -> Emitted:
    """Write the steps of a graph that are not broken, in no order, to look at their arguments.

    What holds other steps is left out. A reference to something that is not there becomes one of
    which nobody knows what it gives.
    """
    references = resolver(graph, supplies.data)

    def resolve(value: Json) -> Value:
        try:
            return references.value(value)
        except UnresolvedError:
            return Get("Steps.unknown.Unknown")

    context = _Context(graph, supplies, resolve, graph.spec.pipeline)
    steps = {}
    for name in graph.order:
        if name not in broken:
            emitted = context.emitted(graph.nodes[name])
            steps[name] = tuple(step for step in emitted if not step.branches)
    return _written(graph, steps, steps)


def _written(
    graph: Graph, steps: Mapping[str, tuple[EmittedStep, ...]], top: Iterable[str]
) -> Emitted:
    types = {e.name: e.type for emitted in steps.values() for e in emitted}
    reserved = {n: v for es in steps.values() for e in es for n, v in e.parameters.items()}
    parameters = [
        *(_parameter(n, p) for n, p in graph.spec.parameters.items()),
        *({"Name": n, "Type": "String", "DefaultValue": v} for n, v in reserved.items()),
    ]
    coercion = Coercion({p["Name"]: p["Type"] for p in parameters}, types)
    position = {name: index for index, name in enumerate(graph.order)}
    writer = _Writer(graph, steps, coercion, position)
    definition: JsonObject = {
        "Version": VERSION,
        "Metadata": {},
        "Parameters": parameters,
        "PipelineExperimentConfig": None,
        "Steps": [step for name in top for step in writer.steps_of(name)],
    }
    origins = {e.name: name for name, emitted in steps.items() for e in emitted}
    requests = tuple(
        {"Name": e.name, "Type": type_, "Arguments": to_json(arguments)}
        for emitted in steps.values()
        for e in emitted
        for type_, arguments in e.requests.items()
    )
    contested = {e.name: e.contested for emitted in steps.values() for e in emitted}
    return Emitted(graph.spec.pipeline, definition, origins, requests, contested)


@frozen
class _Context:
    graph: Graph
    supplies: Supplies
    resolve: Callable[[Json], Value]
    origin: str

    def emitted(self, node: Node) -> tuple[EmittedStep, ...]:
        """Emit the steps of a node."""
        bundles = self.supplies.code_of(node.name)
        context = EmitContext(
            name=node.name,
            spec=self.graph.spec,
            resolve=self.resolve,
            images=self.supplies.images_of(node.name),
            code=bundles.pop("", None),
            cacheable=cacheable(self.graph, node),
            further=bundles,
            origin=self.origin,
        )
        return node.kind.emit(node.step, context)


@frozen
class _Writer:
    graph: Graph
    emitted: Mapping[str, tuple[EmittedStep, ...]]
    coercion: Coercion
    position: Mapping[str, int]

    def steps_of(self, name: str) -> Iterator[JsonObject]:
        """Write the steps that one step of the spec became; the first one waits for `after:`."""
        spec = self.graph.nodes[name].spec
        for index, emitted in enumerate(self.emitted[name]):
            step = self._step(emitted)
            if emitted.name == name:
                step.update(_texts(spec))
            waits = {**(spec.after if index == 0 else {}), **emitted.after}
            if waits:
                step["DependsOn"] = [_dependency(name, trigger) for name, trigger in waits.items()]
            yield step

    def _step(self, emitted: EmittedStep) -> JsonObject:
        arguments: JsonObject = to_json(emitted.arguments)
        for key, members in emitted.branches.items():
            ordered = sorted(members, key=self.position.__getitem__)
            arguments[key] = [step for member in ordered for step in self.steps_of(member)]
        return {
            "Name": emitted.name,
            "Type": emitted.type,
            "Arguments": self.coercion.arguments(emitted.type, arguments),
            **to_json(emitted.extra),
        }


def _texts(spec: StepSpec) -> JsonObject:
    texts = {"DisplayName": spec.display_name, "Description": spec.description}
    return {key: value for key, value in texts.items() if value is not None}


def _dependency(step: str, trigger: str) -> str | JsonObject:
    return step if trigger == "completed" else {"Step": step, "Trigger": _TRIGGERS[trigger]}


def _parameter(name: str, parameter: Parameter) -> JsonObject:
    written: JsonObject = {"Name": name, "Type": parameter.type.capitalize()}
    if parameter.default is not None:
        written["DefaultValue"] = parameter.default
    if parameter.enum is not None:
        written["EnumValues"] = list(parameter.enum)
    return written
