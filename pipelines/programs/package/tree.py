"""A folder that others wrote → a copy of it, with nothing from outside it."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from typing import Callable, Tuple


def copy_tree(
    source: Path, into: Path, leave_out: Callable[[Path], bool] = lambda _: False
) -> None:
    """Copy a folder's files, hard linked where the file system can.

    Links inside the folder are followed: SageMaker cannot extract an archive that holds links.

    Args:
        source: the folder.
        into: the new folder, made here.
        leave_out: returns whether a path below `source` is not copied.

    Raises:
        JobError: a link leads out of the folder, nowhere or in a circle, or something is not a
            plain file.
    """
    _copy_folder(source, source, into, (source.resolve(),), leave_out)


def _copy_folder(
    folder: Path,
    root: Path,
    into: Path,
    above: Tuple[Path, ...],
    leave_out: Callable[[Path], bool],
) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        if not leave_out(path.relative_to(root)):
            _copy(path, root, into / path.name, above, leave_out)


def _copy(
    path: Path,
    root: Path,
    target: Path,
    above: Tuple[Path, ...],
    leave_out: Callable[[Path], bool],
) -> None:
    if path.is_symlink():
        _check_link(path, root)
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        real = path.resolve()
        if real in above:
            raise JobError(f"`{path.relative_to(root)}` is a circle of links.")
        _copy_folder(path, root, target, (*above, real), leave_out)
    elif stat.S_ISREG(mode):
        _link_or_copy(path.resolve(), target)
    else:
        raise JobError(f"`{path.relative_to(root)}` is a device, a pipe or a socket, not a file.")


def _check_link(path: Path, root: Path) -> None:
    name = path.relative_to(root)
    # not Path.resolve, which raises RuntimeError for a link to itself
    target, top = Path(os.path.realpath(str(path))), root.resolve()
    if Path(os.readlink(path)).is_absolute() or top not in (target, *target.parents):
        raise JobError(f"`{name}` is a link that leads out of its folder.")
    if not os.path.exists(str(path)):  # noqa: PTH110 - as above, an OSError on Python 3.7
        raise JobError(f"`{name}` is a broken link.")


def copy_file(source: Path, target: Path) -> None:
    """Copy one file, the folders above it made where they are missing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _link_or_copy(source.resolve(), target)


def _link_or_copy(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(path, target)
        shutil.copymode(path, target)
