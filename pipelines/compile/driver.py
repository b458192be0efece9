"""The chain of stages from a spec file to a bundle; each stage hands on to the next.

read → overlay → load → build → look up → emit → check
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path as FilePath

from pipelines import kinds
from pipelines.bundle.assets import CodeAsset, DataAsset
from pipelines.bundle.project import Project
from pipelines.compile import lookup
from pipelines.compile.canonical import canonical
from pipelines.compile.data import local_asset
from pipelines.compile.emit import Supplies, emit, emit_sound
from pipelines.compile.origins import to_spec
from pipelines.compile.requests import check_requests
from pipelines.definition import check_definition
from pipelines.diagnostics import Diagnostic, Finding, Path, Severity
from pipelines.document import Document, Parsed, read
from pipelines.document.overlay import ENVIRONMENTS, MergeRules, choose
from pipelines.frozen import frozen
from pipelines.grammar.functions import Value
from pipelines.graph.build import build, resolver
from pipelines.graph.model import Graph, Node
from pipelines.graph.resolve import UnresolvedError
from pipelines.graph.standalone import standing_alone
from pipelines.json_types import Json
from pipelines.spec.load import Loaded, load

RULES = MergeRules(
    exclusive=(
        (("steps", "*"), frozenset({"serverless", "realtime", "asynchronous", "batch"})),
        (("data", "*"), frozenset({"path", "s3", "efs", "fsx"})),
    ),
    frozen=(("steps", "*", "kind"),),
)
"""How an environment is merged over a spec."""


_UNSET_VARIABLE = "SP129"
_OF_ARGUMENTS = ("SP41", "SP42")
_OF_REFERENCES = frozenset({"SP203", "SP204", "SP205", "SP206", "SP209"})
_OF_VALUES = frozenset({"SP203", "SP204", "SP205", "SP301", "SP302", "SP303", "SP304", "SP305"})


@frozen
class Request:
    """What is to be compiled.

    Args:
        file: the spec file; its folder is the project.
        environment: name under `environments:`, None for the file as it is.
        environ: what `${env.NAME}` reads.
    """

    file: FilePath
    environment: str | None
    environ: Mapping[str, str]

    @property
    def project(self) -> Project:
        """The folder that the spec file lies in."""
        return Project(self.file.parent)


@frozen
class Checked:
    """A spec that was read: its graph, unless nothing was left, and what is wrong with it."""

    graph: Graph | None
    text: str
    diagnostics: tuple[Diagnostic, ...]

    @property
    def failed(self) -> bool:
        """Whether an error is among the diagnostics."""
        return any(d.severity is Severity.ERROR for d in self.diagnostics)


@frozen
class Bundle:
    """A compiled pipeline.

    Args:
        pipeline: its name.
        definitions: name → canonical JSON; the main definition has the pipeline's name.
        code: the bundles that the definitions name.
        data: the local data that they name.
    """

    pipeline: str
    definitions: Mapping[str, str]
    code: tuple[CodeAsset, ...]
    data: tuple[DataAsset, ...]

    @property
    def definition(self) -> str:
        """The main definition."""
        return self.definitions[self.pipeline]


@frozen
class Compiled:
    """A bundle, None when an error is among the diagnostics."""

    bundle: Bundle | None
    checked: Checked


def validate(request: Request) -> Checked:
    """Find everything that is wrong with a spec, without reading the content of its data.

    Without an environment all of them are looked at too, as far as that reads no file and wants
    no variable to be set.
    """
    front = _front(request)
    if request.environment is None and front.document is not None:
        front = replace(front, diagnostics=_with_environments(front, request.environ))
    if front.graph is None or front.failed:
        return front.checked()
    return _emit(front, _planned_data(front.graph)).checked


def compile_spec(request: Request) -> Compiled:
    """Compile a spec into its definitions and assets."""
    front = _front(request)
    if front.graph is None or front.failed:
        return Compiled(None, front.checked())
    prefix = f"{lookup.prefix_of(front.graph)}/data"
    project = request.project
    local = lookup.local_sources(front.graph)
    assets = {name: local_asset(name, source, project, prefix) for name, source in local.items()}
    emitted = _emit(front, {name: asset.uri for name, asset in assets.items()})
    if emitted.checked.failed:
        return Compiled(None, emitted.checked)
    written = emitted.definitions
    used = tuple(a for a in assets.values() if any(a.uri in text for text in written.values()))
    return Compiled(Bundle(front.graph.spec.pipeline, written, front.code, used), emitted.checked)


@frozen
class _Front:
    """Everything up to the definition: what was read, and what was looked up for it."""

    document: Document | None
    text: str
    graph: Graph | None
    code: tuple[CodeAsset, ...]
    images: Mapping[tuple[str, Path], Value]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def failed(self) -> bool:
        return any(d.severity is Severity.ERROR for d in self.diagnostics)

    def checked(self, more: tuple[Diagnostic, ...] = ()) -> Checked:
        return Checked(self.graph, self.text, (*self.diagnostics, *more))


@frozen
class _Emitted:
    definitions: Mapping[str, str]
    checked: Checked


def _front(request: Request) -> _Front:
    parsed = read(request.file, str(request.file))
    if parsed.document is not None and request.environment is not None:
        merged = choose(parsed.document, request.environment, RULES)
        parsed = Parsed(merged.document, (*parsed.findings, *merged.findings), parsed.text)
    document, diagnostics = parsed.document, parsed.findings
    if document is None:
        return _Front(None, parsed.text, None, (), {}, diagnostics)
    found: list[Finding] = []
    loaded = load(document, kinds.step_models(), request.environ)
    graph = _graph_of(loaded, document, found)
    code, images = [], {}
    if graph is not None:
        code = list(lookup.bundles(graph, request.project, found))
        images = dict(lookup.images(graph, found))
        found.extend(lookup.missing_data(graph, request.project))
        found.extend(_of_partial_steps(loaded, document, request.project))
        found.extend(_placeholder(document))
    located = tuple(map(document.locate, found))
    front = _Front(document, parsed.text, graph, tuple(code), images, (*diagnostics, *located))
    return replace(front, diagnostics=(*front.diagnostics, *_of_sound_steps(front)))


def _of_sound_steps(front: _Front) -> Iterator[Diagnostic]:
    """Find, beside errors, what the service would say of the arguments of the other steps."""
    graph, document = front.graph, front.document
    if graph is None or document is None or not front.failed:
        return
    broken = {str(d.path[1]) for d in front.diagnostics if _breaks_a_step(d)}
    broken |= {n.name for n in graph.nodes.values() if not _images_of(n) <= front.images.keys()}
    data = {**_remote_data(graph), **_planned_data(graph)}
    code = {asset.step: asset.uri for asset in front.code}
    emitted = emit_sound(graph, Supplies(data, code, front.images), broken)
    definition = emitted.definition
    found = [f for f in check_definition(definition) if f.code.startswith(_OF_ARGUMENTS)]
    yield from dict.fromkeys(
        map(document.locate, to_spec(found, definition, emitted.origins, document.data))
    )


def _breaks_a_step(found: Diagnostic) -> bool:
    """Tell whether a step cannot be emitted: one that only refers to nothing can."""
    of_step = found.path[:1] == ("steps",) and len(found.path) > 1
    return of_step and found.severity is Severity.ERROR and found.code not in _OF_REFERENCES


def _images_of(node: Node) -> set[tuple[str, Path]]:
    return {(node.name, path) for path in node.kind.needs(node.name, node.step).images}


def _graph_of(loaded: Loaded, document: Document, found: list[Finding]) -> Graph | None:
    found.extend(loaded.findings)
    if loaded.spec is None:
        return None
    built = build(loaded.spec, _declared(document), loaded.unread)
    found.extend(built.findings)
    return built.graph


def _of_partial_steps(loaded: Loaded, document: Document, project: Project) -> Iterator[Finding]:
    """Find what is wrong with the values of a step beside the mistakes it was not read for.

    Only what holds whatever the mistakes were meant to be: no such file, nothing referred to,
    by a value that stands there.
    """
    if loaded.spec is None or not loaded.partial:
        return
    declared = _declared(document)
    steps = {**loaded.spec.steps, **loaded.partial}
    ordered = {name: steps[name] for name in declared if name in steps}
    built = build(loaded.spec.model_copy(update={"steps": ordered}), declared, loaded.unread)
    found = list(built.findings)
    list(lookup.bundles(built.graph, project, found))
    mistakes = {finding.path for finding in loaded.findings}
    for finding in found:
        path = finding.path
        of_step = path[:1] == ("steps",) and path[1] in loaded.partial and path not in mistakes
        if of_step and finding.code in _OF_VALUES and _stands(document.data, path):
            yield finding


def _stands(value: Json, path: Path) -> bool:
    """Tell whether something is written at a path, or a text that is short for it."""
    for part in path:
        if not isinstance(value, dict):
            return True
        if part not in value:
            return False
        value = value[part]
    return True


def _with_environments(front: _Front, environ: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Add what is wrong with the environments that were not asked for."""
    assert front.document is not None  # noqa: S101 - the caller has looked
    environments = front.document.data.get(ENVIRONMENTS)
    diagnostics = dict.fromkeys(front.diagnostics)
    for name in environments if isinstance(environments, dict) else ():
        merged = choose(front.document, name, RULES)
        diagnostics |= dict.fromkeys(merged.findings)
        if merged.document is not None:
            found: list[Finding] = []
            _graph_of(load(merged.document, kinds.step_models(), environ), merged.document, found)
            wrong = (finding for finding in found if finding.code != _UNSET_VARIABLE)
            diagnostics |= dict.fromkeys(map(merged.document.locate, wrong))
    return tuple(diagnostics)


def _emit(front: _Front, local_data: Mapping[str, str]) -> _Emitted:
    graph, document = front.graph, front.document
    assert graph is not None  # noqa: S101 - the callers have looked
    assert document is not None  # noqa: S101 - the callers have looked
    data = {**_remote_data(graph), **local_data}
    code = {asset.step: asset.uri for asset in front.code}
    written: dict[str, str] = {}
    found: list[Finding] = []
    for each in (graph, *standing_alone(graph)):
        emitted = emit(each, Supplies(data, code, front.images))
        for findings, definition in (
            (check_definition(emitted.definition), emitted.definition),
            *check_requests(emitted),
        ):
            found += to_spec(findings, definition, emitted.origins, document.data)
        written[each.spec.pipeline] = canonical(emitted.definition)
    located = tuple(dict.fromkeys(map(document.locate, found)))
    return _Emitted(written, front.checked(located))


def _declared(document: Document) -> tuple[str, ...]:
    steps = document.data.get("steps")
    return tuple(steps) if isinstance(steps, dict) else ()


def _planned_data(graph: Graph) -> dict[str, str]:
    """Say where local data would go whose content was not read."""
    return {name: f"{lookup.prefix_of(graph)}/data/{name}/" for name in lookup.local_sources(graph)}


def _remote_data(graph: Graph) -> Mapping[str, Value]:
    """Resolve the entries that are used as they are; a file system has no URI."""
    references = resolver(graph, {})
    found: dict[str, Value] = {}
    for name, source in graph.spec.data.items():
        if source.path is None:
            try:
                found[name] = "" if source.s3 is None else references.value(source.s3)
            except UnresolvedError:
                continue  # found while the graph was built
    return found


def _placeholder(document: Document) -> Iterator[Finding]:
    if "aws" not in document.data:
        yield Finding(
            "SP306",
            "there is no `aws:`: compiled for a placeholder account",
            ("pipeline",),
            at="key",
            help="add `aws:` with role and bucket before `upsert`",
            severity=Severity.WARNING,
        )
