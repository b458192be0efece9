"""A script's text → the project files that it imports, and its imports of anything else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from pipelines.bundle.brought import Brought, brought_by
from pipelines.bundle.project import Project
from pipelines.frozen import frozen
from pipelines.runtime.bundle import IMPORT_ROOTS

_EXTENSIONS = (".so", ".pyd")
_CATCHING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@frozen
class Import:
    """An import of a module that is no file of the project.

    Args:
        file: the project file that it stands in.
        line: its line, counted from 1.
        offset: bytes of UTF-8 on that line before which the module's name does not begin.
        names: what it may read, dotted, the module first: of `from a.b import c` also `a.b.c`.
    """

    file: str
    line: int
    offset: int
    names: tuple[str, ...]


@frozen
class Trace:
    """What a script imports.

    Args:
        files: paths of project files, sorted, without the script itself.
        foreign: the imports of other modules that the script cannot do without.
        brought: what the script adds to its container before it imports it.
    """

    files: tuple[str, ...]
    foreign: tuple[Import, ...]
    brought: Brought = Brought()


def trace(project: Project, script: str) -> Trace:
    """Follow a script's imports through the project.

    A module is looked for beside the script, at the project's root and in its `src/`, as the job
    will; packages bring the `__init__.py` on the way. Imports inside functions and under `if` count
    as well.

    Raises:
        SyntaxError: a file on the way is not valid Python.
    """
    return trace_from(project, script, (str(PurePosixPath(script).parent), *IMPORT_ROOTS))


def trace_from(project: Project, script: str, folders: tuple[str, ...]) -> Trace:
    """Follow a script's imports through folders of the project; raises as `trace` does."""
    roots = [folder for folder in dict.fromkeys(folders) if project.sort(folder) == "folder"]
    finder = _Finder(project, tuple(roots))
    found: set[str] = set()
    foreign: list[Import] = []
    brought = Brought()
    needed, optional = [script], list[str]()
    while needed or optional:
        # What is only reached by optional imports comes last: none of its imports is needed.
        is_needed = bool(needed)
        path = needed.pop() if is_needed else optional.pop()
        if path in found:
            continue
        found.add(path)
        code = project.read(path)
        tree = _parsed(code, path)
        brought |= brought_by(code, tree)
        for one, within in _imports(tree, path):
            files = [file for name in one.names for file in finder.files(name)]
            if is_needed and not any(map(_is_condition, within)):
                needed.extend(files)
                if not files and not finder.holds(one.names):
                    foreign.append(one)
            else:
                optional.extend(files)
    return Trace(tuple(sorted(found - {script})), tuple(foreign), brought)


def _parsed(code: bytes, path: str) -> ast.Module:
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
    for node, within in _statements(tree.body, ()):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(path, alias.lineno, alias.col_offset, (alias.name,)), within
            case ast.ImportFrom(level=level) if level > len(PurePosixPath(path).parents):
                continue  # it leads out of the project: Python refuses it as well
            case ast.ImportFrom(module=module, names=names, level=level):
                base = module or ""
                if level:
                    package = PurePosixPath(path).parents[level - 1]
                    base = "." + ".".join((*package.parts, *filter(None, [module])))
                below = (f"{base}.{a.name}" if base != "." else f".{a.name}" for a in names)
                yield Import(path, node.lineno, node.col_offset + 4, (base, *below)), within
            case _:
                pass


def _statements(
    body: list[ast.stmt], within: tuple[ast.stmt, ...]
) -> Iterator[tuple[ast.stmt, tuple[ast.stmt, ...]]]:
    """Walk statements only, each with those around it: an import stands in no expression."""
    for node in body:
        yield node, within
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if block:
                yield from _statements(block, (*within, node))
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from _statements(part.body, (*within, node))


def _is_condition(node: ast.stmt) -> bool:
    """Return whether a statement allows for imports in it to fail or to be left out."""
    match node:
        case ast.Try(handlers=handlers) | ast.TryStar(handlers=handlers):
            return any(one.type is None or _names(one.type) & _CATCHING for one in handlers)
        case ast.If(test=test):
            return not isinstance(test, ast.Constant) and "__name__" not in _names(test)
        case ast.Match():
            return True
        case ast.With(items=items):
            called = {name for item in items for name in _names(item.context_expr)}
            return "suppress" in called and bool(called & _CATCHING)
        case _:
            return False


def _names(expression: ast.expr) -> frozenset[str]:
    """Return the names and attributes in an expression."""
    nodes = list(ast.walk(expression))
    return frozenset(
        {node.id for node in nodes if isinstance(node, ast.Name)}
        | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    )


class _Finder:
    """Looks modules up in the folders that the job will have on `sys.path`."""

    def __init__(self, project: Project, roots: tuple[str, ...]) -> None:
        self._project = project
        self._roots = roots
        self._tops = {root: project.names(root) for root in (".", *roots)}

    def files(self, module: str) -> Iterator[str]:
        """Yield the project files that importing a module reads; none for foreign modules."""
        roots = self._roots
        if module.startswith("."):
            roots, module = (".",), module[1:]
        parts = tuple(part for part in module.split(".") if part)
        for root in roots if parts else ():
            if parts[0] in self._tops[root] or f"{parts[0]}.py" in self._tops[root]:
                yield from self._below(PurePosixPath(root), parts)
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
        folder = str(PurePosixPath(root, *above))
        if above and (above[0] not in self._tops[root] or self._project.sort(folder) != "folder"):
            return False
        inside = self._project.names(folder) if above else self._tops[root]
        return (bool(above) and last in inside) or any(
            name.startswith(f"{last}.") and name.endswith(_EXTENSIONS) for name in inside
        )

    def _below(self, base: PurePosixPath, parts: tuple[str, ...]) -> Iterator[str]:
        for depth in range(1, len(parts) + 1):
            package = base.joinpath(*parts[:depth])
            for candidate in (f"{package}/__init__.py", f"{package}.py"):
                if self._project.is_file(candidate):
                    yield candidate
