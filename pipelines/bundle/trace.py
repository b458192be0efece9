"""A script's text → the project files that it imports, and its imports of anything else."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from pipelines.bundle.brought import Brought, brought_by
from pipelines.bundle.project import Project
from pipelines.bundle.statements import is_condition, is_function, statements
from pipelines.frozen import frozen
from pipelines.runtime.bundle import IMPORT_ROOTS

_EXTENSIONS = (".so", ".pyd")


@frozen
class Import:
    """An import of a module that is no file of the project.

    Args:
        file: the project file that it stands in.
        line: its line, counted from 1.
        offset: bytes of UTF-8 on that line before which the module's name does not begin.
        names: what it may read, dotted, the module first: of `from a.b import c` also `a.b.c`.
        level: the dots of a relative import.
    """

    file: str
    line: int
    offset: int
    names: tuple[str, ...]
    level: int = 0


@frozen
class Stray:
    """A relative import that Python refuses: it leads above the package of its file.

    Args:
        at: the import.
        depth: how many packages its file is in; none for a script, which has no package.
        is_reached: whether importing its file executes it; in a function it may never be.
    """

    at: Import
    depth: int
    is_reached: bool


@frozen
class Trace:
    """What a script imports.

    Args:
        files: paths of project files, sorted, without the script itself.
        foreign: the imports of other modules that the script cannot do without.
        brought: what the script adds to its container before it imports it.
        strays: the relative imports that fail.
        places: each of `files` with its path below the folder that it is imported from; twice
            where it is imported from two.
    """

    files: tuple[str, ...]
    foreign: tuple[Import, ...]
    brought: Brought = Brought()
    strays: tuple[Stray, ...] = ()
    places: tuple[tuple[str, str], ...] = ()


@frozen
class _Module:
    """A file that is imported by a name that begins in the folder `root`."""

    path: str
    root: str

    @property
    def place(self) -> str:
        """Its path below the folder; a relative import may lead out of it, which is an error."""
        return self.path.removeprefix(f"{self.root}/")

    @property
    def depth(self) -> int:
        """How many packages it is in."""
        return self.place.count("/")


def trace(project: Project, script: str, source_dir: str | None = None) -> Trace:
    """Follow a script's imports through the project.

    A module is looked for beside the script, in the folder that it runs in, at the project's root
    and in its `src/`, as the job will; packages bring the `__init__.py` on the way. Imports inside
    functions and under `if` count as well.

    Raises:
        SyntaxError: a file on the way is not valid Python.
    """
    own = (str(PurePosixPath(script).parent), *([source_dir] if source_dir else []))
    return trace_from(project, script, (*own, *IMPORT_ROOTS))


def trace_from(project: Project, script: str, folders: tuple[str, ...]) -> Trace:
    """Follow a script's imports through folders of the project; raises as `trace` does."""
    plain = dict.fromkeys(str(PurePosixPath(folder)) for folder in folders)
    roots = [folder for folder in plain if project.sort(folder) == "folder"]
    tracer = _Tracer(project, _Finder(project, tuple(roots)))
    tracer.follow(script)
    return tracer.found(script)


class _Tracer:
    """Follows imports, those that the script cannot do without first."""

    def __init__(self, project: Project, finder: _Finder) -> None:
        self._project = project
        self._finder = finder
        self._needed: list[_Module] = []
        self._optional: list[_Module] = []
        self._depths: dict[str, int] = {}
        self._places: set[tuple[str, str]] = set()
        self._foreign: list[Import] = []
        self._relative: list[tuple[Import, bool]] = []
        self._brought = Brought()

    def follow(self, script: str) -> None:
        self._needed.append(_Module(script, str(PurePosixPath(script).parent)))
        while self._needed or self._optional:
            # What is only reached by optional imports comes last: none of its imports is needed.
            is_needed = bool(self._needed)
            module = self._needed.pop() if is_needed else self._optional.pop()
            self._places.add((module.path, module.place))
            known = self._depths.get(module.path)
            self._depths[module.path] = max(module.depth, known or 0)
            if known is None:
                self._read(module, is_needed=is_needed)

    def _read(self, module: _Module, *, is_needed: bool) -> None:
        code = self._project.read(module.path)
        tree = parsed(code, module.path)
        self._brought |= brought_by(code, tree)
        has_package = b"__package__" in code  # it may set it, as PEP 366 has it
        for one, within in _imports(tree, module.path):
            files = [file for name in one.names for file in self._finder.files(name, module.root)]
            if not is_needed or any(map(is_condition, within)):
                self._optional.extend(files)
                continue
            self._needed.extend(files)
            if one.level and not has_package:
                self._relative.append((one, not any(map(is_function, within))))
            elif not files and not self._finder.holds(one.names):
                self._foreign.append(one)

    def found(self, script: str) -> Trace:
        depths = self._depths | {script: 0}  # what is started by its path has no package
        strays = (Stray(one, depths[one.file], reached) for one, reached in self._relative)
        return Trace(
            tuple(sorted(depths.keys() - {script})),
            tuple(self._foreign),
            self._brought,
            tuple(one for one in strays if one.at.level > one.depth),
            tuple(sorted(one for one in self._places if one[0] != script)),
        )


@functools.lru_cache(maxsize=256)
def parsed(code: bytes, path: str) -> ast.Module:
    """Parse a file of the project; only SyntaxError says that it is no Python."""
    try:
        return ast.parse(code, filename=path)
    except SyntaxError as error:
        place = (error.filename or path, error.lineno or 1, error.offset, error.text)
        raise SyntaxError(error.msg, place) from None
    except (MemoryError, RecursionError):
        raise SyntaxError("nested too deep", (path, 1, None, None)) from None


def _imports(tree: ast.Module, path: str) -> Iterator[tuple[Import, tuple[ast.stmt, ...]]]:
    """Yield imports, and the statements around each.

    Names of relative imports are paths from the project's root, with a leading dot.
    """
    above = PurePosixPath(path).parents
    for node, within in statements(tree.body, ()):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(path, alias.lineno, alias.col_offset, (alias.name,)), within
            case ast.ImportFrom(level=level) if level > len(above):
                yield Import(path, node.lineno, node.col_offset + 4, (".",), level), within
            case ast.ImportFrom(module=module, names=names, level=level):
                base = module or ""
                if level:
                    package = above[level - 1]
                    base = "." + ".".join((*package.parts, *filter(None, [module])))
                below = (f"{base}.{a.name}" if base != "." else f".{a.name}" for a in names)
                names_read = (base, *below)
                yield Import(path, node.lineno, node.col_offset + 4, names_read, level), within
            case _:
                pass


class _Finder:
    """Looks modules up in the folders that the job will have on `sys.path`."""

    def __init__(self, project: Project, roots: tuple[str, ...]) -> None:
        self._project = project
        self._roots = roots
        self._tops = {root: project.names(root) for root in {".", *roots}}
        self._is_file = functools.cache(project.is_file)  # modules are imported again and again
        self._compiled = {root: _compiled(names) for root, names in self._tops.items()}

    def files(self, module: str, near: str) -> Iterator[_Module]:
        """Yield the project files that importing a module reads; none for foreign modules.

        Args:
            module: its name.
            near: where the name of the importing module begins: a relative import begins there.
        """
        roots = self._roots
        is_relative = module.startswith(".")
        if is_relative:
            roots, module = (".",), module[1:]
        parts = tuple(part for part in module.split(".") if part)
        for root in roots if parts else ():
            if parts[0] in self._tops[root] or f"{parts[0]}.py" in self._tops[root]:
                for path in self._below(root, parts):
                    yield _Module(path, near if is_relative else root)
                return

    def holds(self, names: tuple[str, ...]) -> bool:
        """Return whether the project has a module of which no file is read: a C extension, say.

        A folder alone is none: wandb leaves `wandb/`, and `import wandb` means the package.
        """
        if names[0].startswith("."):
            return True
        return any(self._leads_on(root, name.split(".")) for root in self._roots for name in names)

    def _leads_on(self, root: str, parts: list[str]) -> bool:
        *above, last = parts
        if not above:
            return last in self._compiled[root]
        folder = _joined(root, above)
        if above[0] not in self._tops[root] or self._project.sort(folder) != "folder":
            return False
        inside = self._project.names(folder)
        return last in inside or last in _compiled(inside)

    def _below(self, root: str, parts: tuple[str, ...]) -> Iterator[str]:
        for depth in range(1, len(parts) + 1):
            package = _joined(root, parts[:depth])
            for candidate in (f"{package}/__init__.py", f"{package}.py"):
                if self._is_file(candidate):
                    yield candidate


def _compiled(names: Iterable[str]) -> frozenset[str]:
    """Return the modules among the names of a folder that are C extensions."""
    return frozenset(name.partition(".")[0] for name in names if name.endswith(_EXTENSIONS))


def _joined(root: str, names: Iterable[str]) -> str:
    """Return the path of names below a root; `.` is the project's own folder."""
    below = "/".join(names)
    return below if root == "." else f"{root}/{below}"
