"""What else is wrong with a spec that has errors, so that its author sees all of it at once.

Two things can still be looked at: the values of a step that has mistakes elsewhere, and the
arguments of the steps that have none.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.bundle.project import Project
from pipelines.compile.emit import emit_sound
from pipelines.compile.origins import to_spec
from pipelines.compile.placing import placed
from pipelines.compile.reading import ReadSpec
from pipelines.compile.supplies import Supplies, find_code
from pipelines.definition import check_definition
from pipelines.diagnostics import Diagnostic, Finding, Path, Severity
from pipelines.document import Document
from pipelines.graph.build import build
from pipelines.graph.model import Graph, Node
from pipelines.json_types import Json

_OF_ARGUMENTS = ("SP41", "SP42")
_OF_REFERENCES = frozenset({"SP203", "SP204", "SP205", "SP206", "SP209"})
_OF_VALUES = frozenset({"SP203", "SP204", "SP205", "SP301", "SP302", "SP303", "SP304", "SP305"})


def of_partial_steps(spec: ReadSpec, project: Project) -> Iterator[Finding]:
    """Find what is wrong with the values of a step beside the mistakes it was not read for.

    Only what holds whatever the mistakes were meant to be: no such file, nothing referred to,
    by a value that stands there.
    """
    loaded, document = spec.loaded, spec.document
    if loaded is None or document is None or loaded.spec is None or not loaded.partial:
        return
    steps = {**loaded.spec.steps, **loaded.partial}
    ordered = {name: steps[name] for name in spec.declared if name in steps}
    whole = loaded.spec.model_copy(update={"steps": ordered})
    built = build(whole, spec.declared, loaded.unread)
    found = list(built.findings)
    list(find_code(built.graph, project, found))
    mistakes = {finding.path for finding in loaded.findings}
    for finding in found:
        path = finding.path
        of_step = path[:1] == ("steps",) and path[1] in loaded.partial and path not in mistakes
        if of_step and finding.code in _OF_VALUES and _stands(document.data, path):
            yield finding


def of_sound_steps(
    graph: Graph, supplies: Supplies, errors: tuple[Diagnostic, ...], document: Document
) -> Iterator[Diagnostic]:
    """Find what the service would say of the arguments of the steps without errors."""
    broken = {str(d.path[1]) for d in errors if _breaks_a_step(d)}
    broken |= {node.name for node in graph.nodes.values() if not _is_supplied(node, supplies)}
    emitted = emit_sound(graph, supplies, broken)
    definition = emitted.definition
    found = [f for f in check_definition(definition) if f.code.startswith(_OF_ARGUMENTS)]
    yield from placed(document, to_spec(found, definition, emitted.origins, document.data))


def _stands(value: Json, path: Path) -> bool:
    """Return whether something is written at a path, or a text that is short for it."""
    for part in path:
        if not isinstance(value, dict):
            return True
        if part not in value:
            return False
        value = value[part]
    return True


def _breaks_a_step(found: Diagnostic) -> bool:
    """Return whether a step cannot be emitted: one that only refers to nothing can."""
    of_step = found.path[:1] == ("steps",) and len(found.path) > 1
    return of_step and found.severity is Severity.ERROR and found.code not in _OF_REFERENCES


def _is_supplied(node: Node, supplies: Supplies) -> bool:
    """Return whether a step's images and code were found; an error may be told of another step."""
    needs = node.kind.needs(node.name, node.step)
    images = {(node.name, path) for path in needs.images}
    has_code = needs.jobs.keys() <= supplies.code_of(node.name).keys()
    return has_code and images <= supplies.images.keys()
