"""A folder with links → the same folder with files: an archive with links cannot be extracted.

SageMaker refuses model archives that hold symbolic links (FACTS 12.6), and a link to /opt/ml means
nothing outside the job. Hugging Face's cache, for one, is made of links.
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
    """Replace every link below a folder by a copy of what it leads to.

    A link to nothing and one that leads to a folder around it are removed, with a line in the log.

    Args:
        folder: the folder; links in what is copied into it are followed too.
        real: returns where a path leads to; the local SageMaker knows another /opt/ml.
    """
    for parent, folders, files in os.walk(str(folder)):
        for name in folders + files:
            path = os.path.join(parent, name)  # noqa: PTH118 - as os.walk gives it
            if os.path.islink(path):  # noqa: PTH114 - as above
                _replace(Path(path), Path(real(path)), real)
        folders[:] = [name for name in folders if (Path(parent) / name).is_dir()]


def _replace(link: Path, target: Path, real: Callable[[str], str]) -> None:
    here = Path(os.path.realpath(str(link.parent)))
    link.unlink()
    if target == here or target in here.parents:
        print(f"pipelines: {link} leads to a folder around it: left out", file=sys.stderr)
    elif not target.exists():
        print(f"pipelines: {link} leads to nothing: left out", file=sys.stderr)
    else:
        _copy(target, link, real, ())


def _copy(source: Path, target: Path, real: Callable[[str], str], above: Tuple[Path, ...]) -> None:
    """Copy a file or a folder, links followed; a circle ends where it begins again."""
    source = Path(real(str(source)))
    if source.is_dir():
        if source in above:
            print(f"pipelines: {target} is a circle of links: left out", file=sys.stderr)
            return
        target.mkdir()
        for name in sorted(os.listdir(str(source))):  # noqa: PTH208 - names are wanted
            _copy(source / name, target / name, real, (*above, source))
    elif source.is_file():
        shutil.copyfile(str(source), str(target))
        shutil.copymode(str(source), str(target))
