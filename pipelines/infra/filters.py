"""The paths that a pipeline reads → the patterns whose change starts it.

CodePipeline takes at most 8 patterns of at most 255 characters in a filter, in its glob language
(CodePipeline User Guide, "Working with glob patterns in syntax"): `*` stays within a name, `**`
crosses folders, `?`, `[…]`, `{a,b}`, and a backslash escapes. A filter here never leaves out a path
that is read; where it cannot be exact it is wider.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from pipelines.frozen import frozen

MOST: Final = 8
LONGEST: Final = 255
EVERYTHING: Final = "**"
_SPECIAL: Final = re.compile(r"[\\*?\[\]{},]")
_OWN_SUFFIXES: Final = 2
"""From how many files on, those with one suffix become one pattern."""


@frozen
class Reads:
    """What is read of a repository, relative to its root.

    Args:
        files: single files.
        folders: folders that are read with everything below; the root itself is `.`.
        project: the folder of the spec, in which files are not collapsed to their folder.
        globs: patterns, as they are.
    """

    files: frozenset[str]
    folders: frozenset[str]
    project: str = "."
    globs: frozenset[str] = frozenset()


def patterns(reads: Reads) -> tuple[str, ...]:
    """Return at most 8 patterns that match every path that is read, sorted.

    Files below a folder of the project become that folder, since a file beside them is probably
    read soon; those in the project's folder itself stay single, so that a README starts nothing.
    """
    folders = {_short(one) for one in (*reads.folders, *_folders_of(reads))}
    if "." in folders:
        return (EVERYTHING,)
    folders = {one for one in folders if not any(_is_below(one, other) for other in folders)}
    files = {one for one in reads.files if not any(_is_below(one, other) for other in folders)}
    wide = {*(f"{escape(folder)}/**" for folder in folders), *reads.globs}
    found = [*wide, *map(escape, files)]
    if len(found) > MOST:
        found = [*wide, *_by_suffix(files)]
    if len(found) > MOST:
        found = list(_packed(found))
    if len(found) > MOST or any(len(one) > LONGEST for one in found):
        return (EVERYTHING,)
    return tuple(sorted(found))


def escape(path: str) -> str:
    """Write a path so that each character stands for itself."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", path)


def _folders_of(reads: Reads) -> set[str]:
    """Return, for the files below each folder beside the spec, the deepest folder of them all."""
    above = {reads.project, *map(str, PurePosixPath(reads.project).parents), "."}
    groups: dict[str, list[PurePosixPath]] = {}
    for file in sorted(reads.files):
        parents = [one for one in PurePosixPath(file).parents if str(one) not in above]
        if parents:
            groups.setdefault(str(parents[-1]), []).append(parents[0])
    return {str(_common(parents)) for parents in groups.values()}


def _common(folders: Iterable[PurePosixPath]) -> PurePosixPath:
    first, *others = folders
    for folder in others:
        while first != folder and first not in folder.parents:
            first = first.parent
    return first


def _short(path: str) -> str:
    """Return a folder, or the first one above it that fits into a pattern."""
    folder = PurePosixPath(path)
    while len(escape(str(folder))) + len("/**") > LONGEST:
        folder = folder.parent
    return str(folder)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def _by_suffix(files: Iterable[str]) -> list[str]:
    """Write files of one folder and suffix as one pattern; a page of text is no such suffix."""
    groups: dict[tuple[str, str], list[str]] = {}
    for file in sorted(files):
        path = PurePosixPath(file)
        groups.setdefault((str(path.parent), path.suffix), []).append(file)
    found: list[str] = []
    for (folder, suffix), names in groups.items():
        if len(names) < _OWN_SUFFIXES or suffix in {"", ".md", ".rst"}:
            found.extend(map(escape, names))
        else:
            found.append(escape("" if folder == "." else f"{folder}/") + "*" + escape(suffix))
    return found


def _packed(found: Iterable[str]) -> Iterable[str]:
    """Join patterns to groups `{a,b}`, as many as fit into each."""
    group: list[str] = []
    for pattern in sorted(found):
        if group and len(",".join((*group, pattern))) + 2 > LONGEST:
            yield _group(group)
            group = []
        group.append(pattern)
    yield _group(group)


def _group(members: list[str]) -> str:
    return members[0] if len(members) == 1 else "{" + ",".join(members) + "}"
