"""Spec files → deliveries: every environment compiled, and what keeps them from being delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Final

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest, CompileResult
from pipelines.compile.reading import read_spec
from pipelines.definition.named import objects_of, read
from pipelines.diagnostics import CheckedText, Diagnostic, Finding
from pipelines.document import Document
from pipelines.document.overlay import ENVIRONMENTS
from pipelines.errors import UsageError
from pipelines.files import real
from pipelines.frozen import frozen
from pipelines.grammar.durations import parse_iso
from pipelines.infra.checks import Candidate, lacking, of_all, of_one, same_stage, unversioned
from pipelines.infra.filters import Reads, escape, patterns
from pipelines.infra.model import Delivery, Environment, Options
from pipelines.infra.reads import reads_of, with_tests

_DAY: Final = 86_400


@frozen
class Asked:
    """What is to be delivered.

    Args:
        files: the spec files.
        environments: the environments to go through, in order; none for all of each spec.
        repository: the root of the repository.
        templates: the folder of the templates, relative to it; None where it lies elsewhere.
        environ: what `${env.NAME}` reads.
        ignored: tells which paths, relative to the root, are no part of a clone.
    """

    files: tuple[Path, ...]
    environments: tuple[str, ...]
    repository: Path
    templates: str | None
    environ: Mapping[str, str]
    ignored: Callable[[Iterable[str]], frozenset[str]] = lambda _paths: frozenset()


@frozen
class Opened:
    """A spec file, each of its environments compiled.

    Args:
        file: the file.
        text: its text.
        found: what is wrong with it.
        candidates: its environments; none where one has errors.
        reads: what it is made from.
    """

    file: Path
    text: str
    found: tuple[Diagnostic, ...]
    candidates: tuple[Candidate, ...]
    reads: tuple[Reads, ...]

    def delivery(self, asked: Asked) -> Delivery:
        """Return the spec on its way through its environments, which it has without errors."""
        pipeline = self.candidates[0].environment.compiled.pipeline
        reads = _joined(self.reads, asked.templates, pipeline)
        return Delivery(
            real(self.file).relative_to(real(asked.repository)).as_posix(),
            tuple(one.environment for one in self.candidates),
            patterns(reads),
            patterns(with_tests(reads, asked.repository)),
        )


def open_all(
    asked: Asked, options: Options
) -> tuple[dict[Path, CheckedText], tuple[Delivery, ...]]:
    """Compile specs in all their environments, and check what only their delivery needs.

    Returns:
        what was found in each file, and the deliveries where nothing is wrong.

    Raises:
        UsageError: a spec has no such environment, or none at all; it is of another repository.
    """
    opened = [_open(file, asked, options) for file in asked.files]
    crossing = of_all(candidate for one in opened for candidate in one.candidates)
    checked = {
        one.file: CheckedText(one.text, (*one.found, *_located(one.candidates, crossing)))
        for one in opened
    }
    if any(one.failed for one in checked.values()):
        return checked, ()
    return checked, tuple(one.delivery(asked) for one in opened)


def cached_days(deliveries: Iterable[Delivery]) -> int:
    """Return for how many days a step of theirs may use earlier results, at most."""
    seconds = [
        duration.seconds
        for delivery in deliveries
        for environment in delivery.environments
        for definition in environment.compiled.definitions.values()
        for found in objects_of(read(definition))
        if (duration := parse_iso(str(found.get("ExpireAfter", "")))) is not None
    ]
    return ceil(max(seconds, default=0) / _DAY)


def _open(file: Path, asked: Asked, options: Options) -> Opened:
    if not real(file).is_relative_to(real(asked.repository)):
        raise UsageError(
            f"{file} lies outside of the repository {asked.repository}",
            "its changes could start nothing: run the command once for each repository",
        )
    base = read_spec(CompileRequest(file, None, asked.environ))
    document = base.document
    if document is None:
        return Opened(file, base.parsed.text, base.diagnostics, (), ())
    found: list[Diagnostic] = []
    taken: list[tuple[Candidate, Reads]] = []
    names = tuple(_names(document, asked.environments, file))
    found.extend(map(document.locate, same_stage(names)))
    for name in names:
        request = CompileRequest(file, name, asked.environ)
        missing = [*_missing(document, request)]
        found.extend(missing)
        if not missing:
            result = compile_spec(request)
            found.extend(result.checked.diagnostics)
            taken.extend(_taken(request, result, asked, is_first=not taken))
    for candidate, reads in taken:
        found.extend(_wrong(candidate, reads, asked, options))
    return Opened(
        file,
        base.parsed.text,
        tuple(dict.fromkeys(found)),
        tuple(candidate for candidate, _ in taken),
        tuple(reads for _, reads in taken),
    )


def _taken(
    request: CompileRequest, result: CompileResult, asked: Asked, *, is_first: bool
) -> Iterator[tuple[Candidate, Reads]]:
    """Yield an environment that was compiled, and what it was made from."""
    graph, compiled, document = result.checked.graph, result.compiled, read_spec(request).document
    if graph is not None and compiled is not None and document is not None:
        environment = Environment(request.environment, graph.spec, compiled)
        reads = reads_of(request.file, compiled, graph, asked.repository)
        yield Candidate(environment, graph, document, is_first), reads


def _wrong(
    candidate: Candidate, reads: Reads, asked: Asked, options: Options
) -> Iterator[Diagnostic]:
    """Find, with its place, what is wrong with one environment."""
    ignored = asked.ignored((*reads.files, *reads.folders))
    found = (
        *of_one(candidate, options),
        *unversioned(candidate, ignored, reads.project),
    )
    yield from map(candidate.document.locate, found)


def _names(document: Document, asked: tuple[str, ...], file: Path) -> Iterator[str | None]:
    """Yield the environments: the file as it is, where that has a role, then the named ones."""
    if asked:
        yield from asked
        return
    written = document.data.get("aws")
    named = document.data.get(ENVIRONMENTS)
    names = list(named) if isinstance(named, dict) else []
    if isinstance(written, dict) and (not names or "role" in written):
        yield None
    elif not names:
        raise UsageError(
            f"{file} has no `aws:`: no target account is given",
            "add `aws:` with region, role and bucket",
        )
    yield from names


def _missing(document: Document, request: CompileRequest) -> Iterator[Diagnostic]:
    """Find that an environment names no role or bucket, for which compiling has placeholders."""
    overlaid = read_spec(request)
    if overlaid.document is None or overlaid.spec is None:
        return
    path = () if request.environment is None else (ENVIRONMENTS, request.environment)
    for finding in lacking(overlaid.document.data.get("aws"), request.environment, path):
        yield document.locate(finding)


def _located(
    candidates: tuple[Candidate, ...], crossing: Iterator[list[Finding]]
) -> Iterator[Diagnostic]:
    """Take the findings of these environments, which come next, with their places."""
    for one, found in zip(candidates, crossing, strict=False):
        yield from map(one.document.locate, found)


def _joined(reads: tuple[Reads, ...], templates: str | None, pipeline: str) -> Reads:
    """Join what the environments of a spec read, and the templates, which pin the tool."""
    joined = Reads(
        frozenset[str]().union(*(one.files for one in reads)),
        frozenset[str]().union(*(one.folders for one in reads)),
        reads[0].project,
        frozenset[str]().union(*(one.globs for one in reads)),
    )
    if templates is None:
        return joined
    if templates == "." or f"{joined.project}/".startswith(f"{templates}/"):
        beside = "" if templates == "." else f"{escape(templates)}/"
        own = {f"{beside}shared.*.yaml", f"{beside}{pipeline}*.yaml"}
        return replace(joined, globs=joined.globs | own)
    return replace(joined, folders=joined.folders | {templates})
