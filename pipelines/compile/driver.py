"""The chain of stages from a spec file to a compiled pipeline; each module is one stage.

| stage      | module          | turns          | into                                  |
|------------|-----------------|----------------|---------------------------------------|
| read, load | `reading`       | a spec file    | `ReadSpec`: Document and PipelineSpec |
| copy       | `copies`        | PipelineSpec   | PipelineSpec of a copy (`--as`)       |
| build      | `reading`       | `ReadSpec`     | `Graph`                               |
| look up    | `supplies`      | `Graph`        | `Supplies`: images, code, data        |
| read in    | `supplies`      | `Supplies`     | `Supplies` with the hashes of content |
| emit       | `emit`          | both           | definitions                           |
| check      | `checking`      | definitions    | diagnostics in the spec               |
| write      | `canonical`     | a definition   | its bytes                             |

`validate` reads nothing in: what it emits names bundles without their hashes.

With an error on the way nothing is emitted; `beside_errors` then looks at what is left.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.compile.canonical import canonical
from pipelines.compile.checking import check
from pipelines.compile.emit import Emitted, emit_all
from pipelines.compile.model import CheckedSpec, Compiled, CompileRequest, CompileResult
from pipelines.compile.placing import placed
from pipelines.compile.reading import (
    ReadSpec,
    beside_unset,
    build_graph,
    of_environments,
    read_spec,
)
from pipelines.compile.supplies import LookedUp, look_up, read
from pipelines.diagnostics import Diagnostic
from pipelines.frozen import frozen
from pipelines.graph.model import Graph


def validate(request: CompileRequest) -> CheckedSpec:
    """Find everything that is wrong with a spec, without reading what is only uploaded.

    Without an environment all of them are looked at too, as far as that reads no file and wants
    no variable to be set.

    Raises:
        UsageError: the spec has no environment of the name that is asked for.
    """
    prepared = _prepare(request)
    checked = prepared.checked
    if request.environment is None:
        checked = checked.and_also(of_environments(prepared.spec, request.environ))
    if prepared.ready is None or checked.failed:
        return checked
    graph, looked_up = prepared.ready
    return checked.and_also(_check(prepared, emit_all(graph, looked_up.supplies)))


def compile_spec(request: CompileRequest) -> CompileResult:
    """Compile a spec into its definitions and assets.

    Raises:
        UsageError: the spec has no environment of the name that is asked for.
    """
    prepared = _prepare(request)
    if prepared.ready is None or prepared.checked.failed:
        return CompileResult(None, prepared.checked)
    graph, looked_up = prepared.ready
    read_in = read(looked_up, graph, request.project)
    emitted = emit_all(graph, read_in.supplies)
    checked = prepared.checked.and_also(_check(prepared, emitted))
    if checked.failed:
        return CompileResult(None, checked)
    written = {one.pipeline: canonical(one.definition) for one in emitted}
    used = tuple(a for a in read_in.data if any(a.uri in text for text in written.values()))
    name = graph.spec.pipeline
    origins = next(one.origins for one in emitted if one.pipeline == name)
    return CompileResult(Compiled(name, written, read_in.code, used, origins), checked)


@frozen
class _Prepared:
    """A spec up to its definition: what was read of it, and what it is emitted from."""

    spec: ReadSpec
    ready: tuple[Graph, LookedUp] | None
    checked: CheckedSpec


def _prepare(request: CompileRequest) -> _Prepared:
    spec = read_spec(request)
    document, built = spec.document, build_graph(spec)
    checked = CheckedSpec(spec.parsed.text, spec.diagnostics, built.graph if built else None)
    if document is None or built is None:
        return _Prepared(spec, None, checked)
    looked_up = look_up(built.graph, request.project)
    found = beside_unset(spec, (*built.findings, *looked_up.findings))
    checked = checked.and_also(placed(document, found))
    if checked.failed:
        from pipelines.compile import beside_errors  # noqa: PLC0415 - a sound spec needs none of it

        partial = beside_errors.of_partial_steps(spec, request.project)
        checked = checked.and_also(placed(document, beside_unset(spec, partial)))
        supplies = looked_up.supplies
        more = beside_errors.of_sound_steps(built.graph, supplies, checked.diagnostics, document)
        checked = checked.and_also(more)
    return _Prepared(spec, (built.graph, looked_up), checked)


def _check(prepared: _Prepared, emitted: Iterable[Emitted]) -> Iterable[Diagnostic]:
    document = prepared.spec.document
    return check(emitted, document) if document is not None else ()
