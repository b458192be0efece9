"""A script → the script and the project modules that it imports, found without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.testing.bundles import read_folder


def collect(project: Path, script: str, include: Sequence[str] = ()) -> dict[str, bytes]:
    """Read the files that a bundle of this script holds.

    Args:
        project: the folder that holds the spec file.
        script: its path relative to the project.
        include: further files or folders, relative to the project.

    Returns:
        Path relative to the project → content.

    Raises:
        FileNotFoundError: the script or an included path does not exist.
    """
    found: dict[str, bytes] = {}
    queue = [project / script]
    while queue:
        file = queue.pop()
        name = file.relative_to(project).as_posix()
        if name not in found:
            found[name] = file.read_bytes()
            queue += _imported(project, project / script, file) if file.suffix == ".py" else []
    for path in include:
        place = project / path
        if place.is_dir():
            found |= {f"{Path(path).as_posix()}/{k}": v for k, v in read_folder(place).items()}
        else:
            found[Path(path).as_posix()] = place.read_bytes()
    return found


def _imported(project: Path, script: Path, file: Path) -> list[Path]:
    """Return the project files behind the imports of one file; others are installed packages."""
    tree = ast.parse(file.read_bytes(), str(file))
    found: list[Path] = []
    for node in ast.walk(tree):
        for base, parts in _targets(node, file, (script.parent, project)):
            found += _files(base, parts)
    return found


def _targets(
    node: ast.AST, file: Path, search: tuple[Path, ...]
) -> Iterator[tuple[Path, list[str]]]:
    """Yield (folder, dotted name) for every module that an import statement may mean."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from ((base, alias.name.split(".")) for base in search)
    elif isinstance(node, ast.ImportFrom):
        module = node.module.split(".") if node.module else []
        bases = (file.parents[node.level - 1],) if node.level else search
        for base in bases:
            yield from ((base, [*module, alias.name]) for alias in node.names)


def _files(base: Path, parts: list[str]) -> Iterator[Path]:
    """Yield the packages on the way to a module and the module, as far as they are files."""
    for end in range(1, len(parts) + 1):
        place = base.joinpath(*parts[:end])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                yield file
