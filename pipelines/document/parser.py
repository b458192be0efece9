"""A text, YAML or JSON → a document. No I/O: `reading` is the rim."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from pipelines.diagnostics.model import Diagnostic, Severity, Span
from pipelines.document import characters
from pipelines.document.builder import Builder
from pipelines.document.composer import Composer, StoppedError
from pipelines.document.extents import START, character
from pipelines.document.model import Document, DocumentLimits, Parsed
from pipelines.document.nodes import MappingNode, Node, ScalarNode
from pipelines.document.problem import Problem, too_deep
from pipelines.document.surrogates import hidden

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = DocumentLimits()
_MOST_TRAPS = 50
_FASTEST: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str | bytes, source: str, limits: DocumentLimits = LIMITS) -> Parsed:
    """Read a text as one document with the place of every value.

    Args:
        text: YAML 1.2, or JSON, which is a part of it; bytes are UTF-8.
        source: the file's name, for the places.
        limits: what the text may be at most.

    Returns:
        The document and everything wrong with the text. The document is there whenever
        the text has a structure, even with findings, so that later checks can add theirs.
    """
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > limits.size:
        return _refused([_diagnostic(source, _too_large(limits))], "")
    text, damaged = (text, None) if isinstance(text, str) else characters.decoded(text)
    text = re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))
    if damaged is not None:
        return _refused([_diagnostic(source, damaged)], text)
    forbidden = [_diagnostic(source, problem) for problem in characters.forbidden(text)]
    if forbidden:
        return _refused(forbidden, text)
    return _parsed(text, source, limits)


def _parsed(text: str, source: str, limits: DocumentLimits) -> Parsed:
    readable = hidden(text)
    composer = Composer(text, source, limits, pairs=readable is not text)
    try:
        root = composer.compose(_events(readable))
    except StoppedError:
        return _refused(composer.findings, text)
    except yaml.MarkedYAMLError:
        return _refused(_mistakes(text, source, limits), text)
    return _built(root, Document({}, source, text, {}), composer.findings, limits)


def _mistakes(text: str, source: str, limits: DocumentLimits) -> list[Diagnostic]:
    """Read a text that is no YAML as far as it goes, past every reference that needs quotes."""
    from pipelines.document import flow_style, syntax  # noqa: PLC0415 - mostly not needed

    readable = hidden(text)
    pairs = readable is not text
    traps: list[int] = []
    while True:
        composer = Composer(text, source, limits, pairs=pairs)
        error = _error_of(composer, readable)
        trap = None if error is None else flow_style.trap(text, error)
        if trap is None or trap in traps or len(traps) >= _MOST_TRAPS:
            break
        traps.append(trap)
        readable = flow_style.masked(readable, trap)
    problems = list(flow_style.problems(text, traps))
    if error is not None:
        deep = _too_deep(error, text, limits)
        problems.append(deep or syntax.problem(error, text, composer.before))
    return [*composer.findings, *(_diagnostic(source, problem) for problem in problems)]


def _error_of(composer: Composer, readable: str) -> yaml.MarkedYAMLError | None:
    try:
        composer.compose(_events(readable))
    except StoppedError:
        return None
    except yaml.MarkedYAMLError as error:
        return error
    return None


def _built(
    root: Node | None, empty: Document, findings: list[Diagnostic], limits: DocumentLimits
) -> Parsed:
    """Turn the tree into a document, where it is one."""
    if root is None or (isinstance(root, ScalarNode) and root.value is None):
        problem = Problem(
            "SP105", "the file is empty", START, "`pipelines init` writes a file to begin with"
        )
        return _refused([*findings, _diagnostic(empty.source, problem)], empty.text)
    if not isinstance(root, MappingNode):
        from pipelines.document.syntax import no_mapping  # noqa: PLC0415 - mostly not needed

        problem = no_mapping(root, empty.text)
        return _refused([*findings, _diagnostic(empty.source, problem)], empty.text)
    builder = Builder(empty.source, limits)
    try:
        data = builder.build(root)
    except StoppedError:
        return _refused([*findings, *builder.findings], empty.text)
    document = Document(data, empty.source, empty.text, builder.spans)
    return Parsed(document, _in_order(findings), empty.text)


def _events(text: str) -> Iterator[yaml.events.Event]:
    events: Iterator[yaml.events.Event] = yaml.parse(text, Loader=_FASTEST)
    return events


def _too_large(limits: DocumentLimits) -> Problem:
    return Problem(
        "SP108",
        f"the file has more than {limits.size} bytes",
        START,
        "a pipeline's file holds its steps; data and code belong in files of their own",
    )


def _too_deep(error: yaml.MarkedYAMLError, text: str, limits: DocumentLimits) -> Problem | None:
    """Return the problem if libyaml itself gave up: it looks 1024 characters ahead."""
    if error.problem_mark is None or "nesting depth" not in str(error.problem):
        return None
    return too_deep(limits.depth, character(text, error.problem_mark.index))


def _refused(findings: list[Diagnostic], text: str) -> Parsed:
    return Parsed(None, _in_order(findings), text)


def _in_order(findings: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(
        sorted(
            findings, key=lambda found: (found.span.line, found.span.column) if found.span else ()
        )
    )


def _diagnostic(source: str, problem: Problem) -> Diagnostic:
    span = Span(source, *problem.extent)
    return Diagnostic(problem.code, problem.message, Severity.ERROR, span, (), problem.help)
