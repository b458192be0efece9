"""What goes into the compiler and what comes out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

from pipelines.bundle.assets import CodeAsset, DataAsset
from pipelines.bundle.project import Project
from pipelines.compile.placing import once_each
from pipelines.diagnostics import CheckedText, Diagnostic
from pipelines.frozen import frozen
from pipelines.graph.model import Graph


@frozen
class CompileRequest:
    """Which spec is to be compiled.

    Args:
        file: the spec file; its folder is the project.
        environment: name under `environments:`, None for the file as it is.
        environ: what `${env.NAME}` reads.
        copy: the name of a copy that is meant instead of the pipeline itself.
    """

    file: Path
    environment: str | None
    environ: Mapping[str, str]
    copy: str | None = None

    @property
    def project(self) -> Project:
        """The folder that the spec file lies in."""
        return Project(self.file.parent)


@frozen
class CheckedSpec(CheckedText):
    """A spec that was checked; `graph` is None where too little of it could be read."""

    graph: Graph | None

    def and_also(self, more: Iterable[Diagnostic]) -> CheckedSpec:
        """Return it with more diagnostics, those that it has already left out."""
        return CheckedSpec(self.text, once_each((*self.diagnostics, *more)), self.graph)


@frozen
class Compiled:
    """A compiled pipeline.

    Args:
        pipeline: its name.
        definitions: name → canonical JSON; the main definition has the pipeline's name.
        code: the bundles that the definitions name.
        data: the local data that they name.
        origins: for each step of the main definition the step of the spec that it comes from.
    """

    pipeline: str
    definitions: Mapping[str, str]
    code: tuple[CodeAsset, ...]
    data: tuple[DataAsset, ...]
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def definition(self) -> str:
        """The main definition."""
        return self.definitions[self.pipeline]


@frozen
class CompileResult:
    """What became of a spec: compiled, unless an error is among the diagnostics."""

    compiled: Compiled | None
    checked: CheckedSpec
