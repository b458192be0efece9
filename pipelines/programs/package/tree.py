"""A folder that others filled → the same files elsewhere, and nothing from outside it."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Collection

_BYTECODE_FOLDER = "__pycache__"
_BYTECODE_SUFFIXES = (".pyc", ".pyo")


def copy_tree(source: Path, into: Path, leave_out: Collection[str] = ()) -> None:
    """Copy a folder's files without bytecode, hard linked where the file system can.

    Args:
        source: the folder.
        into: the new folder, made here.
        leave_out: names directly below `source` that are not copied.

    Raises:
        JobError: a link leads out of the folder or nowhere, or something is no plain file.
    """
    into.mkdir(parents=True, exist_ok=True)
    for parent, folders, files in os.walk(source):
        here = source if parent == str(source) else source / os.path.relpath(parent, source)
        skipped = set(leave_out) if here == source else set()
        folders[:] = sorted({*folders} - skipped - {_BYTECODE_FOLDER})
        for name in [*folders, *sorted({*files} - skipped)]:
            if not name.endswith(_BYTECODE_SUFFIXES):
                _copy(here / name, source, into / (here / name).relative_to(source))


def _copy(path: Path, root: Path, target: Path) -> None:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        _check_link(path, root)
        target.symlink_to(os.readlink(path))
    elif stat.S_ISDIR(mode):
        target.mkdir()
    elif stat.S_ISREG(mode):
        _link_or_copy(path, target)
    else:
        raise JobError(f"`{path.relative_to(root)}` is a device, a pipe or a socket, not a file.")


def _check_link(path: Path, root: Path) -> None:
    name = path.relative_to(root)
    target, top = path.resolve(), root.resolve()
    if Path(os.readlink(path)).is_absolute() or top not in (target, *target.parents):
        raise JobError(f"`{name}` is a link that leads out of its folder.")
    if not path.exists():
        raise JobError(f"`{name}` is a link to nothing.")


def _link_or_copy(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(path, target)
        shutil.copymode(path, target)
