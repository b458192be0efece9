"""A folder with links → the same folder with files: an archive with links cannot be extracted.

SageMaker refuses model archives with symbolic links (FACTS 12.6), and a link to /opt/ml means
nothing outside the job. Hugging Face's cache, for example, consists of links.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Tuple


def replace_links(folder: Path, real: Callable[[str], str] = os.path.realpath) -> None:
    """Replace every link below a folder by a copy of its target.

    A dead link, one to a folder that contains it, and what holds nothing (a pipe, a socket, a
    device) are removed, with a line in the log.

    Args:
        folder: the folder; links in what is copied into it are followed too.
        real: resolves a path; the local SageMaker has another /opt/ml.
    """
    for parent, folders, files in os.walk(str(folder)):
        for name in folders + files:
            path = os.path.join(parent, name)  # noqa: PTH118 - as os.walk gives it
            if os.path.islink(path):  # noqa: PTH114 - as above
                _replace(Path(path), Path(real(path)), real)
            elif not os.path.isfile(path) and not os.path.isdir(path):  # noqa: PTH112, PTH113 - as above
                Path(path).unlink()
                _say_it_holds_nothing(path)
        folders[:] = [name for name in folders if (Path(parent) / name).is_dir()]


def _replace(link: Path, target: Path, real: Callable[[str], str]) -> None:
    here = Path(os.path.realpath(str(link.parent)))
    link.unlink()
    if target == here or target in here.parents:
        print(f"pipelines: {link} leads to a folder that contains it: removed", file=sys.stderr)
    elif not target.exists():
        print(f"pipelines: {link} is a dead link: removed", file=sys.stderr)
    else:
        _copy(target, link, real, ())


def _copy(source: Path, target: Path, real: Callable[[str], str], above: Tuple[Path, ...]) -> None:
    """Copy a file or a folder, following links; a cycle is cut."""
    source = Path(real(str(source)))
    if source.is_dir():
        if source in above:
            print(f"pipelines: {target} is a cycle of links: left out", file=sys.stderr)
            return
        target.mkdir()
        for name in sorted(os.listdir(str(source))):  # noqa: PTH208 - only names are needed
            _copy(source / name, target / name, real, (*above, source))
    elif source.is_file():
        shutil.copyfile(str(source), str(target))
        shutil.copymode(str(source), str(target))
    elif source.exists():
        _say_it_holds_nothing(str(target))


def _say_it_holds_nothing(path: str) -> None:
    print(f"pipelines: {path} is a pipe, a socket or a device: removed", file=sys.stderr)
