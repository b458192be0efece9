"""Which modules of the project a script imports, told from its text (D4)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from pipelines.compile.project import Project


def imported_files(project: Project, script: str) -> tuple[str, ...]:
    """Follow a script's imports through the project.

    A module is looked for beside the script and at the project's root, as the job will; packages
    bring the `__init__.py` on the way. Imports inside functions and under `if` count as well.

    Returns:
        Paths of project files, sorted, without the script itself.

    Raises:
        SyntaxError: a file on the way is no Python.
    """
    roots = tuple(dict.fromkeys((str(PurePosixPath(script).parent), ".")))
    found: set[str] = set()
    pending = [script]
    while pending:
        path = pending.pop()
        tree = ast.parse(project.read(path), filename=path)
        for module in _modules(tree, path):
            for file in _files_of(project, module, roots):
                if file not in found and file != script:
                    found.add(file)
                    pending.append(file)
    return tuple(sorted(found))


def _modules(tree: ast.Module, path: str) -> Iterator[str]:
    """Yield dotted names (relative imports as paths from the root, with a leading dot)."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = module or ""
                if level:
                    package = PurePosixPath(path).parents[level - 1]
                    base = "." + ".".join((*package.parts, *filter(None, [module])))
                yield base
                yield from (f"{base}.{a.name}" if base != "." else f".{a.name}" for a in names)
            case _:
                pass


def _files_of(project: Project, module: str, roots: tuple[str, ...]) -> Iterator[str]:
    if module.startswith("."):
        roots, module = (".",), module[1:]
    parts = tuple(part for part in module.split(".") if part)
    if not parts or any(not part.isidentifier() for part in parts):
        return
    for root in roots:
        base = PurePosixPath(root)
        files = list(_in_root(project, base, parts))
        if files:
            yield from files
            return


def _in_root(project: Project, base: PurePosixPath, parts: tuple[str, ...]) -> Iterator[str]:
    for depth in range(1, len(parts) + 1):
        package = base.joinpath(*parts[:depth])
        for candidate in (package / "__init__.py", package.with_suffix(".py")):
            if project.is_file(str(candidate)):
                yield str(candidate)
