"""First stages: a spec file → Document, its environment overlaid → PipelineSpec.

Whoever reads a spec begins here, also for less than compiling it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pipelines import kinds
from pipelines.compile.model import CompileRequest
from pipelines.compile.placing import placed
from pipelines.diagnostics import Diagnostic, Finding
from pipelines.document import Document, MergeRules, Parsed, choose, read
from pipelines.document.overlay import ENVIRONMENTS, Pattern
from pipelines.frozen import frozen
from pipelines.graph.build import Built, build
from pipelines.json_types import Json, JsonObject
from pipelines.spec.environ import UNSET, beside
from pipelines.spec.load import Loaded, load
from pipelines.spec.model import DataSource, PipelineSpec
from pipelines.spec.steps import StepSpec


@frozen
class ReadSpec:
    """A spec, as far as it could be read.

    Args:
        parsed: the document, its environment overlaid.
        loaded: what was read out of it; None without a document.
    """

    parsed: Parsed
    loaded: Loaded | None

    @property
    def document(self) -> Document | None:
        """The document; None where the text is none."""
        return self.parsed.document

    @property
    def spec(self) -> PipelineSpec | None:
        """The pipeline, without what could not be read; None where nothing is left."""
        return self.loaded.spec if self.loaded else None

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong with text and spec."""
        if self.parsed.document is None or self.loaded is None:
            return self.parsed.findings
        located = map(self.parsed.document.locate, self.loaded.findings)
        return (*self.parsed.findings, *located)

    @property
    def declared(self) -> tuple[str, ...]:
        """The names of all steps of the document, also of those that could not be read."""
        return tuple(_steps(self.document)) if self.document else ()


def read_spec(request: CompileRequest) -> ReadSpec:
    """Read a spec, its environment overlaid; of a copy that is asked for, the copy.

    Raises:
        UsageError: the spec has no environment of that name, or no copy can have the name.
    """
    parsed = read(request.file, str(request.file))
    if parsed.document is not None and request.environment is not None:
        parsed = _overlaid(parsed.document, request.environment, parsed.findings)
    read_in = _loaded(parsed, request.environ)
    if request.copy is None or read_in.spec is None or read_in.loaded is None:
        return read_in
    from pipelines.compile.copies import copy_of  # noqa: PLC0415 - most commands mean no copy

    loaded = replace(read_in.loaded, spec=copy_of(read_in.spec, request.copy))
    return replace(read_in, loaded=loaded)


def build_graph(spec: ReadSpec) -> Built | None:
    """Build the graph of what could be read."""
    if spec.loaded is None or spec.loaded.spec is None:
        return None
    return build(spec.loaded.spec, spec.declared, spec.loaded.unread)


def of_environments(spec: ReadSpec, environ: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Find what is wrong with every environment of a spec that was read without one.

    Files are not looked at, and no variable has to be set.
    """
    if spec.document is None:
        return
    for name in _mapping(spec.document.data.get(ENVIRONMENTS)):
        overlaid = _loaded(_overlaid(spec.document, name), environ)
        built = build_graph(overlaid)
        yield from (d for d in overlaid.diagnostics if d.code != UNSET)
        if overlaid.document is not None and built is not None:
            yield from placed(overlaid.document, beside_unset(overlaid, built.findings))


def beside_unset(spec: ReadSpec, found: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out what is found of values whose environment variable is not set."""
    return beside(spec.loaded.findings if spec.loaded else (), found)


def _loaded(parsed: Parsed, environ: Mapping[str, str]) -> ReadSpec:
    if parsed.document is None:
        return ReadSpec(parsed, None)
    return ReadSpec(parsed, load(parsed.document, kinds.step_models(), environ))


def _overlaid(document: Document, environment: str, before: tuple[Diagnostic, ...] = ()) -> Parsed:
    merged = choose(document, environment, _rules(document))
    return Parsed(merged.document, (*before, *merged.findings), merged.text)


def _rules(document: Document) -> MergeRules:
    """Return how an environment is merged over a spec: what the models declare."""
    exclusive: list[tuple[Pattern, frozenset[str]]] = [
        (("data", "*"), frozenset(DataSource.one_of))
    ]
    for name, step in _steps(document).items():
        model = _model(_mapping(step))
        if model is not None and model.one_of:
            exclusive.append((("steps", name), frozenset(model.one_of)))
    return MergeRules(exclusive=tuple(exclusive), frozen=(("steps", "*", "kind"),))


def _model(step: JsonObject) -> type[StepSpec] | None:
    kind = step.get("kind")
    return kinds.step_models().find(kind, step) if isinstance(kind, str) else None


def _steps(document: Document) -> JsonObject:
    return _mapping(document.data.get("steps"))


def _mapping(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
