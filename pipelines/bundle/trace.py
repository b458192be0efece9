"""Which modules of the project a script imports, read from its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from pipelines.bundle.project import Project
from pipelines.runtime.bundle import IMPORT_ROOTS


def imported_files(project: Project, script: str) -> tuple[str, ...]:
    """Follow a script's imports through the project.

    A module is looked for beside the script, at the project's root and in its `src/`, as the job
    will; packages bring the `__init__.py` on the way. Imports inside functions and under `if` count
    as well.

    Returns:
        Paths of project files, sorted, without the script itself.

    Raises:
        SyntaxError: a file on the way is not valid Python.
    """
    beside = str(PurePosixPath(script).parent)
    roots = [root for root in (beside, *IMPORT_ROOTS) if project.sort(root) == "folder"]
    finder = _Finder(project, tuple(dict.fromkeys(roots)))
    found: set[str] = set()
    pending = [script]
    while pending:
        path = pending.pop()
        tree = _parsed(project.read(path), path)
        for module in _modules(tree, path):
            for file in finder.files(module):
                if file not in found and file != script:
                    found.add(file)
                    pending.append(file)
    return tuple(sorted(found))


def _parsed(code: bytes, path: str) -> ast.Module:
    try:
        return ast.parse(code, filename=path)
    except SyntaxError as error:
        place = (error.filename or path, error.lineno or 1, error.offset, error.text)
        raise SyntaxError(error.msg, place) from None
    except (MemoryError, RecursionError):
        raise SyntaxError("nested too deep", (path, 1, None, None)) from None


def _modules(tree: ast.Module, path: str) -> Iterator[str]:
    """Yield dotted names (relative imports as paths from the root, with a leading dot)."""
    for node in _statements(tree.body):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(level=level) if level > len(PurePosixPath(path).parents):
                continue  # it leads out of the project: Python refuses it as well
            case ast.ImportFrom(module=module, names=names, level=level):
                base = module or ""
                if level:
                    package = PurePosixPath(path).parents[level - 1]
                    base = "." + ".".join((*package.parts, *filter(None, [module])))
                yield base
                yield from (f"{base}.{a.name}" if base != "." else f".{a.name}" for a in names)
            case _:
                pass


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Walk statements only: an import stands in no expression."""
    for node in body:
        yield node
        for field in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, field, []))
        for block in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from _statements(block.body)


class _Finder:
    """Looks modules up in the folders that the job will have on `sys.path`."""

    def __init__(self, project: Project, roots: tuple[str, ...]) -> None:
        self._project = project
        self._roots = roots
        self._tops = {root: project.names(root) for root in roots}

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

    def _below(self, base: PurePosixPath, parts: tuple[str, ...]) -> Iterator[str]:
        for depth in range(1, len(parts) + 1):
            package = base.joinpath(*parts[:depth])
            for candidate in (f"{package}/__init__.py", f"{package}.py"):
                if self._project.is_file(candidate):
                    yield candidate
