"""A compiled spec → the paths of the repository that it was made from, and that its checks read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Final

from pipelines.bundle.need import CodeNeed
from pipelines.bundle.project import Project
from pipelines.compile.model import Compiled
from pipelines.files import real
from pipelines.graph.model import Graph
from pipelines.infra.filters import Reads, escape
from pipelines.runtime.bundle import CODE

_BESIDE: Final = (
    "*requirements*.txt",
    "*constraints*.txt",
    "*.lock",
    "pylock*.toml",
    "pyproject.toml",
    ".python-version",
)
"""What says which packages the builds install."""

_WILD: Final = re.compile(r"[*?\[]")
_TESTS: Final = ("tests", "test", "conftest.py", "pytest.ini", "tox.ini", "setup.cfg")


def reads_of(file: Path, compiled: Compiled, graph: Graph, repository: Path) -> Reads:
    """Return what a change of the pipeline can lie in.

    Args:
        file: the spec file.
        compiled: what was compiled of it.
        graph: its graph.
        repository: the root of the repository; what lies outside of it is left out.
    """
    project = Project(file.parent)
    files = {str(real(file)), *_packages(file.parent, repository)}
    folders: set[str] = set()
    for path in {*_bundled(compiled), *_needed(graph), *_data(graph)}:
        found = str(project.root / path)
        (folders if project.sort(path) == "folder" else files).add(found)
    place = next(_inside([str(file.parent)], repository), ".")
    return Reads(
        frozenset(_inside(files, repository)),
        frozenset(_inside(folders, repository)),
        place,
        frozenset(_globs(graph, place)),
    )


def with_tests(reads: Reads, root: Path) -> Reads:
    """Return it with the project's tests, which are no part of the pipeline."""
    there = [PurePosixPath(reads.project) / name for name in _TESTS]
    folders = {str(one) for one in there if (root / one).is_dir()}
    files = {str(one) for one in there if (root / one).is_file()}
    return replace(reads, files=reads.files | files, folders=reads.folders | folders)


def _bundled(compiled: Compiled) -> Iterator[str]:
    """Yield the project's files in the bundles: scripts and the modules that they import too."""
    for asset in compiled.code:
        for member in asset.members:
            if member.path.startswith(CODE):
                yield member.path.removeprefix(CODE)


def _needed(graph: Graph) -> Iterator[str]:
    """Yield what steps name: files that are in no bundle, and folders, which may grow."""
    for node in graph.nodes.values():
        for job in node.kind.needs(node.name, node.step).jobs.values():
            yield from _named(job.code)


def _named(need: CodeNeed) -> Iterator[str]:
    yield from (file.path for file in need.files)
    for given in (need.requirements_file, need.vendored):
        if given is not None:
            yield from (path for path in (given.path, given.wheels) if path)
    yield from (found for pattern in need.include if (found := _searched(pattern)) is not None)


def _searched(pattern: str) -> str | None:
    """Return what an entry of `include:` names, or the folder that it looks in.

    None where that is the folder of the spec alone.
    """
    if not _WILD.search(pattern):
        return pattern
    fixed = takewhile(lambda part: not _WILD.search(part), PurePosixPath(pattern).parts[:-1])
    folder = "/".join(fixed)
    return folder or ("." if "/" in pattern else None)


def _globs(graph: Graph, project: str) -> Iterator[str]:
    """Yield the entries of `include:` that look in the folder of the spec alone."""
    prefix = "" if project == "." else f"{escape(project)}/"
    for node in graph.nodes.values():
        code = node.kind.needs(node.name, node.step).code
        yield from (prefix + p for p in (code.include if code else ()) if _searched(p) is None)


def _data(graph: Graph) -> Iterator[str]:
    return (source.path for source in graph.spec.data.values() if source.path is not None)


def _packages(folder: Path, repository: Path) -> Iterator[str]:
    """Yield what says which packages are installed, beside the spec and at the root."""
    for place in dict.fromkeys((real(folder), real(repository))):
        for pattern in _BESIDE:
            yield from (str(found) for found in place.glob(pattern) if found.is_file())


def _inside(paths: Iterable[str], repository: Path) -> Iterator[str]:
    """Yield paths relative to the root; of a link both what it is called and where it leads."""
    root = os.path.realpath(repository)
    for path in paths:
        named = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))  # noqa: PTH118, PTH119, PTH120 - Path.resolve follows the last link, too
        plain = os.path.relpath(os.path.abspath(path), os.path.abspath(repository))  # noqa: PTH100 - links stay
        for one in (
            plain,
            os.path.relpath(named, root),
            os.path.relpath(os.path.realpath(path), root),
        ):
            if one.split("/")[0] != "..":
                yield one
