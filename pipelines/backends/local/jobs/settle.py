"""Make a folder that a job left self-contained: no link out of it, nothing but readable files."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.opt_ml import ROOT

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.spec import Host


def settle(folder: Path, host: Host) -> None:
    """Replace links that lead out by what they lead to; drop dead links, pipes and sockets.

    An archive with a link out of it would be refused by whoever unpacks it, and a link to
    /opt/ml means nothing outside the job. Files that the job has locked, or copied from a
    read-only place, are opened for their owner again: in the service root reads them.
    """
    _unlock(folder)
    for directory, subfolders, names in os.walk(folder):
        for name in (*subfolders, *names):
            path = Path(directory, name)
            if path.is_symlink():
                _resolve(path, folder, host)
            elif path.is_dir() or path.is_file():
                _unlock(path)
            else:
                path.unlink()


def _unlock(path: Path) -> None:
    if not path.exists():
        return
    mode = path.stat().st_mode
    wanted = stat.S_IRWXU if stat.S_ISDIR(mode) else stat.S_IRUSR
    if mode & wanted != wanted:
        path.chmod(mode | wanted)


def _resolve(link: Path, folder: Path, host: Host) -> None:
    said = PurePosixPath(link.readlink())
    own = said.is_relative_to(ROOT)
    target = host.ml / said.relative_to(ROOT) if own else link.parent / said
    try:
        real = target.resolve(strict=True)
    except (OSError, RuntimeError):  # nothing there, or a circle
        link.unlink()
        return
    link.unlink()
    home = folder.resolve()
    if real.is_relative_to(home) and not link.resolve().is_relative_to(real):
        link.symlink_to(os.path.relpath(real, link.parent.resolve()))
    elif real.is_file():
        shutil.copyfile(real, link)
    elif real.is_dir() and not home.is_relative_to(real):
        shutil.copytree(real, link, symlinks=True, ignore=_specials)
        settle(link, host)


def _specials(directory: str, names: list[str]) -> list[str]:
    """Name what is no file, folder or link: copying a pipe would wait for ever."""
    paths = {name: Path(directory, name) for name in names}
    return [
        name
        for name, path in paths.items()
        if not (path.is_symlink() or path.is_file() or path.is_dir())
    ]
