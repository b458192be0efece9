"""What the code of steps imports, against what its container has → warnings at the imports.

A container has the standard library of its Python, the modules of its bundle, what its image
brings, and what its requirements bring. Where one of these is not known, nothing is said.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

from pipelines.bundle.brought import Brought
from pipelines.bundle.code import BundlePlan
from pipelines.bundle.need import CodeNeed
from pipelines.bundle.project import Project
from pipelines.bundle.trace import Import
from pipelines.diagnostics import Finding, Path, Place, Severity, Span
from pipelines.frozen import frozen
from pipelines.images import Image
from pipelines.images.packages import (
    Modules,
    distribution_of,
    is_distributed,
    named_by,
    of_image,
    of_requirements,
)
from pipelines.images.standard_library import REMOVED, is_standard, lacking
from pipelines.json_types import JsonObject
from pipelines.runtime import PYTHON
from pipelines.runtime.bundle import CODE

_SOURCES: Final = (".tar.gz", ".zip", ".tgz", ".tar.bz2")
"""Source distributions: what they install is not known before they are built."""


@frozen
class StepCode:
    """The code of a step and what it runs in.

    Args:
        step: the path of the step.
        image: the image, and `image_name`, what the spec calls it.
        need: what the step asked for.
        plan: its bundle.
        imports: what it imports from elsewhere.
        brought: what it adds to its container itself.
    """

    step: Path
    image: Image
    image_name: str
    need: CodeNeed
    plan: BundlePlan
    imports: tuple[Import, ...]
    brought: Brought


def check_imports(steps: Iterable[StepCode], project: Project) -> Iterator[Finding]:
    """Find the imports that will fail."""
    for step in steps:
        container = _Container(step, project)
        for one in sorted(step.imports, key=lambda one: (one.file, one.line, one.offset)):
            missing = container.missing(one.names)
            if missing is not None:
                starts = step.need.script or step.need.entry
                yield Finding(
                    "SP408",
                    missing.message,
                    (*step.step, *(starts.at if starts else ("include",))),
                    help=missing.remedy,
                    severity=Severity.WARNING,
                    place=_place(one, project),
                )


@frozen
class _Missing:
    message: str
    remedy: str


class _Container:
    """What a step's container has; a list is read when it is asked for."""

    def __init__(self, step: StepCode, project: Project) -> None:
        self._step = step
        self._project = project

    def missing(self, names: tuple[str, ...]) -> _Missing | None:
        """Return what is missing for an import of these modules; None where nothing is known."""
        top = names[0].partition(".")[0]
        if is_standard(top):
            return self._missing_from_python(top, names)
        if top.lower() in self._named or self._image.may_have(top) or self._holds(top):
            return None
        if self._requirements.may_have(top) or self._installed.may_have(top):
            return None
        if self._step.brought.elsewhere and not is_distributed(top):
            return None
        message = (
            f"`{top}` is neither in the image `{self._step.image_name}` nor in the requirements"
        )
        return _Missing(message, self._remedy(top))

    def _missing_from_python(self, top: str, names: tuple[str, ...]) -> _Missing | None:
        version = self._step.image.python
        python = tuple(map(int, version.split("."))) if version else ()
        if len(python) != 2 or python < PYTHON:  # SP407 says it
            return None
        lack = lacking(names, (python[0], python[1]))
        if lack is None:  # of nearly all imports; what is installed is not read for these
            return None
        added = (self._requirements, self._installed)
        if any(top in one.names for one in added):
            return None
        if top in REMOVED and any(one.may_have(top) for one in (self._image, *added)):
            return None
        message = f"{lack}, and the image `{self._step.image_name}` has Python {version}"
        return _Missing(message, "name another image, or catch ImportError and do without it")

    def _remedy(self, module: str) -> str:
        given = self._step.need.requirements_file or self._step.need.vendored
        package = distribution_of(module)
        if given is not None:
            return f"add `{package}` to `{given.path}`"
        key = "serving.requirements" if self._step.need.entry else "requirements"
        return f"list `{package}` in a file, and name the file as `{key}:` of the step"

    def _holds(self, module: str) -> bool:
        """Return whether the bundle has such a file anywhere: code may extend `sys.path`."""
        is_served = self._step.need.entry is not None
        source = self._step.need.config["source"] if is_served else "."
        folder = f"{PurePosixPath(CODE, source)}/"
        own = [path.removeprefix(folder) for path in self._paths if path.startswith(folder)]
        shared = self._step.plan.job.config.get("shared", {}) if is_served else {}
        paths = (f"/{path}" for path in (*own, *shared))
        return any(path.endswith(f"/{module}.py") or f"/{module}/" in path for path in paths)

    @property
    def _paths(self) -> Iterator[str]:
        return (f"{CODE}{path}" for path in self._step.plan.paths)

    @functools.cached_property
    def _image(self) -> Modules:
        return of_image(self._step.image)

    @functools.cached_property
    def _requirements(self) -> Modules:
        given = self._given
        if given.get("mode") == "wheels":
            return _of_wheels(self._project, given["folder"])
        return of_requirements(given.get("lines", ()))

    @functools.cached_property
    def _installed(self) -> Modules:
        return of_requirements(self._step.brought.requirements)

    @functools.cached_property
    def _named(self) -> frozenset[str]:
        return named_by(self._given.get("lines", ()))

    @functools.cached_property
    def _given(self) -> JsonObject:
        job = self._step.plan.job
        return job.requirements or job.config.get("requirements") or {}


def _of_wheels(project: Project, folder: str) -> Modules:
    """Read the modules of wheels, which are all that is installed from."""
    names: set[str] = set()
    files = project.files(folder)
    for file in files:
        if file.endswith(".whl"):
            try:
                with zipfile.ZipFile(io.BytesIO(project.read(file))) as wheel:
                    tops = {name.partition("/")[0] for name in wheel.namelist()}
            except zipfile.BadZipFile:  # pip says it
                return Modules(frozenset(names), complete=False)
            names |= {top.partition(".")[0].lower() for top in tops}
    sources = any(file.endswith(_SOURCES) for file in files)
    return Modules(frozenset(names), complete=not sources)


def _place(one: Import, project: Project) -> Place:
    """Return where the module's name stands."""
    lines = importlib.util.decode_source(project.read(one.file)).split("\n")
    text = lines[one.line - 1]
    after = len(text.encode()[: one.offset].decode("utf-8", "ignore"))
    # Spaces may stand in a dotted name; behind a backslash all of it is on the next line.
    module, top = one.names[0], one.names[0].partition(".")[0]
    name = next((name for name in (module, top) if text.find(name, after) >= 0), text.strip())
    start = max(text.find(name, after), text.find(name))
    end = start + len(name)
    source = str(project.root / one.file)
    return Place(Span(source, one.line, start + 1, one.line, end + 1), text)
