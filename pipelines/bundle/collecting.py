"""CodeNeed → the files of a project that a bundle holds, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from pipelines.bundle.brought import Brought
from pipelines.bundle.need import CodeNeed, ProjectFile, RequirementsFile
from pipelines.bundle.project import Project, advice_on, of_links
from pipelines.bundle.script import how_started
from pipelines.bundle.trace import Import, Trace, trace, trace_from
from pipelines.diagnostics import Finding, Path, Place, Severity, Span
from pipelines.json_types import JsonObject
from pipelines.runtime.bundle import IMPORT_ROOTS

_REFUSED = ("-r", "-c", "--requirement", "--constraint", "-e", ".")
"""Beginnings of requirement lines that name other files, which a job would not find."""

_REQUIREMENTS = "requirements.txt"
_SOURCES_FOLDER = f"{IMPORT_ROOTS[1]}/"
"""What modules are imported without, wherever they get to."""


def requirement_lines(content: bytes) -> Iterator[str]:
    """Yield the lines of a requirements file, joined where they go on, without comments."""
    for line in content.decode("utf-8", "replace").replace("\\\n", " ").splitlines():
        words = line.split(" #")[0].split()
        if words and not words[0].startswith("#"):
            yield " ".join(words)


class Collector:
    """Gathers project files and what is wrong with them.

    Args:
        project: the folder of the spec.
        step: where findings belong in the spec.
        image: what is known of the image that the code runs in.

    Attributes:
        command: what runs the script.
        paths: the files of the project.
        findings: what is wrong.
        imports: what is imported that is no file of the project.
        brought: what the code adds to its container.
        shared: modules beside serving code, by the place that they get in its archive.
    """

    def __init__(self, project: Project, step: Path, image: JsonObject | None) -> None:
        self._project = project
        self._step = step
        self._image = image
        self._missing: list[str] = []
        self.command: tuple[str, ...] = ()
        self.paths: set[str] = set()
        self.findings: list[Finding] = []
        self.imports: list[Import] = []
        self.brought = Brought()
        self.shared: dict[str, str] = {}

    def collect(self, need: CodeNeed) -> None:
        """Gather what a need names, and what its code imports."""
        if need.script is not None and self._exists(need.script):
            self.paths.add(need.script.path)
            self._read_script(need, need.script)
        for file in need.files:
            if self._exists(file):
                self._add(file.path, file.at)
                self._read_suite(file)
        if need.entry is not None:
            self._read_entry(need.entry, str(need.config["source"]))
            self._left_out(str(need.config["source"]), need.vendored, ("serving", "source"))
        if need.source_dir is not None:
            self._read_folder(need.source_dir, need.requirements_file)
        for index, pattern in enumerate(need.include):
            at = (*need.include_at, index)
            found = self._include(pattern, at)
            if need.entry is not None:
                self._share_included(found, str(need.config["source"]), at)

    def _read_folder(self, source_dir: str, given: RequirementsFile | None) -> None:
        """Take all of the folder that a script runs in."""
        folder = ProjectFile(source_dir, ("source_dir",), "folder")
        if self._exists(folder):
            self._add(source_dir, folder.at)
            self._left_out(source_dir, given, folder.at)

    def _include(self, pattern: str, at: Path) -> tuple[str, ...]:
        """Take what a pattern names; return it."""
        found = self._project.glob(pattern)
        if not found:
            self._find("SP301", f"`{pattern}` names no file of the project", at)
        named = found == (pattern,) and pattern.endswith(".py") and self._project.is_file(pattern)
        if named and pattern not in self.paths:
            self._read_included(pattern)
        for path in found:
            self._add(path, at)
        return found

    def _share_included(self, found: tuple[str, ...], source: str, at: Path) -> None:
        """Give included files their place beside serving code: as a module or below the root."""
        for path in (file for one in found for file in self._project.files(one)):
            place = path.removeprefix(_SOURCES_FOLDER)
            beside = str(PurePosixPath(source, place))
            if PurePosixPath(path).is_relative_to(source):
                continue
            if self._project.is_file(beside):
                message = f"`{path}` and `{beside}` would both be `code/{place}` in the archive"
                self._find("SP130", message, at, "rename one of them")
            self.shared[place] = path

    def _add(self, path: str, at: Path) -> None:
        """Take a file or the files of a folder, links inside the project followed."""
        listing = self._project.listing(path)
        self.paths.update(listing.files)
        for link in listing.outside:
            message = f"`{link}` is a link that leads out of the project"
            self._find("SP302", message, at, "put a copy into the folder of the spec file")
        self.findings.extend(of_links(listing, (*self._step, *at)))

    def requirements(
        self, given: RequirementsFile | None, brought: tuple[str, ...], index: str | None
    ) -> JsonObject | None:
        """Return how requirements are installed; None where there are none."""
        lines = list(brought)
        if given is not None:
            if not self._exists(ProjectFile(given.path, given.at)):
                return None
            lines.extend(self._lines(given))
            wheels = (*given.at, "wheels")
            if given.wheels and self._exists(ProjectFile(given.wheels, wheels, "folder")):
                self._add(given.wheels, wheels)
        if not lines:
            return None
        if given is not None and given.mode == "wheels":
            return {"mode": "wheels", "lines": lines, "folder": given.wheels}
        return {"mode": "index", "lines": lines, "index_url": index}

    def _exists(self, file: ProjectFile) -> bool:
        wanted = "folder" if file.what == "folder" else "file"
        inside = self._project.names_inside(file.path) and self._project.is_inside(file.path)
        if not inside:
            message = f"`{file.path}` lies outside the project"
            self._find("SP302", message, file.at, "move it into the folder of the spec file")
            return False
        found = self._project.sort(file.path)
        if found == wanted:
            return True
        if any(file.path.startswith(folder) for folder in self._missing):
            return False
        if wanted == "folder":
            self._missing.append(f"{file.path.rstrip('/')}/")
        exists = f"is not a {wanted} but a {found}" if found else "does not exist"
        message = f"the {file.what} `{file.path}` {exists}"
        self._find("SP301", message, file.at, advice_on(file.path))
        return False

    def _read_script(self, need: CodeNeed, script: ProjectFile) -> None:
        """Find what runs the script; follow its imports where that is Python."""
        started = how_started(script.path, self._project.read(script.path))
        if started is None:
            message = f"neither the suffix nor the first line of `{script.path}` says what runs it"
            self._find("SP303", message, script.at, "begin it with `#!` and the program's path")
            return
        self.command = started.command
        if started.is_python:
            self._trace(script, need.source_dir)
            return
        if need.distribution is not None and not _starts_anything(need.distribution):
            message = f"`{script.path}` is run by {started.program}, but the launcher starts Python"
            advice = "start a Python file, or use `distribution: mpi`, which starts any script"
            self._find("SP303", message, script.at, advice)
        if (self._image or {}).get("framework") and not started.is_everywhere:
            message = f"`{script.path}` is run by {started.program}, which the image does not have"
            self._find("SP303", message, script.at, "name an image of your own that has it")

    def _trace(self, script: ProjectFile, source_dir: str | None) -> None:
        try:
            found = trace(self._project, script.path, source_dir)
        except SyntaxError as error:
            self.findings.append(_not_python(error, (*self._step, *script.at), self._project))
            return
        self._take(found, script.at)
        for path in found.files:
            self._add(path, script.at)

    def _take(self, found: Trace, at: Path) -> None:
        self.imports.extend(found.foreign)
        self.brought |= found.brought
        if found.strays:
            from pipelines.bundle.relative import of_strays  # noqa: PLC0415 - a mistake

            self.findings.extend(of_strays(found.strays, (*self._step, *at), self._project))

    def _read_entry(self, entry: ProjectFile, source: str) -> None:
        """Follow the imports of serving code, in its folder and in the project."""
        if not entry.path.endswith(".py") or not self._project.is_file(entry.path):
            return  # an image of one's own may start anything; a missing file is said elsewhere
        own = PurePosixPath(source)
        folders = (str(PurePosixPath(entry.path).parent), str(own), *IMPORT_ROOTS)
        try:
            found = trace_from(self._project, entry.path, folders)
        except SyntaxError as error:
            self.findings.append(_not_python(error, (*self._step, *entry.at), self._project))
            return
        self._take(found, entry.at)
        for path, place in found.places:
            if own / place != PurePosixPath(path):  # it does not lie there already
                self._add(path, entry.at)
                self.shared[place] = path

    def _left_out(self, source: str, given: RequirementsFile | None, beside: Path) -> None:
        """Warn of a file that the images' toolkits would install at each start, and ours do not."""
        path = str(PurePosixPath(source, _REQUIREMENTS))
        if not self._project.is_file(path) or (given and str(PurePosixPath(given.path)) == path):
            return
        where = (
            f"add what is missing to `{given.path}`"
            if given
            else f"name it: `requirements: {path}`"
        )
        message = f"`{path}` is not what `requirements` names: nothing in it is installed"
        at: Path = given.at if given else beside
        self.findings.append(
            Finding("SP309", message, (*self._step, *at), help=where, severity=Severity.WARNING)
        )

    def _read_included(self, path: str) -> None:
        """Read the imports of a file that the spec includes by its name; it may be anything."""
        try:
            found = trace(self._project, path)
        except SyntaxError:
            return
        self.imports.extend(one for one in found.foreign if one.file == path)
        self.brought |= found.brought

    def _read_suite(self, file: ProjectFile) -> None:
        if file.what != "suite":
            return
        # Read by the module that reads it in the job; other steps do not pay for its import.
        from pipelines.programs.validate.suites import SuiteError, parse_suite  # noqa: PLC0415

        try:
            parse_suite(self._project.read(file.path), file.path)
        except SuiteError as error:
            for problem in error.problems:
                self._find("SP304", f"the suite `{file.path}`: {problem.rstrip('.')}", file.at)

    def _lines(self, given: RequirementsFile) -> Iterator[str]:
        for line in requirement_lines(self._project.read(given.path)):
            if line.startswith(_REFUSED):
                message = f"`{given.path}` holds `{line}`, which a job cannot follow"
                self._find("SP305", message, given.at, "write the packages out in this file")
            else:
                yield line

    def _find(self, code: str, message: str, at: Path, help: str | None = None) -> None:
        self.findings.append(Finding(code, message, (*self._step, *at), help=help))


def _starts_anything(distribution: JsonObject) -> bool:
    """Return whether a launcher starts scripts that are not Python."""
    launcher, strategy = distribution.get("launcher"), distribution.get("strategy")
    return launcher == "mpi" or (launcher == "tensorflow" and strategy != "parameter_server")


def _not_python(error: SyntaxError, path: Path, project: Project) -> Finding:
    """Make a finding of a syntax error, at its place; `path` leads to the script that needs it."""
    line, column = error.lineno or 1, error.offset or 1
    file = error.filename or ""
    place = None
    if error.text is not None:
        span = Span(str(project.root / file), line, column, line, column + 1)
        place = Place(span, error.text.rstrip("\r\n"))
    message = f"line {line} of `{file}` is not valid Python: {error.msg}"
    return Finding("SP303", message, path, help="it has to be Python to be run", place=place)
