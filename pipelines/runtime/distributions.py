"""Folders of `sys.path` → the distributions installed there.

Reads the metadata itself: `importlib.metadata` is new in Python 3.8, and the images of older
frameworks have 3.7.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple

_METADATA = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}


class InstalledDistribution(NamedTuple):
    """An installed distribution.

    Args:
        name: its normalized name.
        version: its version, as its metadata has it.
        metadata: the file that this was read from.
    """

    name: str
    version: str
    metadata: Path

    def requires(self) -> list[str]:
        """Return what it requires, a line each, as its metadata has it."""
        header = self.metadata.read_text("utf-8", "replace").partition("\n\n")[0]
        return re.findall(r"^Requires-Dist:[ \t]*(.+?)[ \t]*$", header, re.MULTILINE)

    def files(self) -> list[Path]:
        """Return its files below its installation folder; none without a record."""
        record = self.metadata.parent / "RECORD"
        if not record.is_file():
            return []
        with record.open(encoding="utf-8", newline="") as file:
            paths = [Path(row[0]) for row in csv.reader(file) if row]
        root = self.metadata.parent.parent
        return [root / path for path in paths if not path.is_absolute() and ".." not in path.parts]


def distributions(folders: Iterable[str]) -> Iterator[InstalledDistribution]:
    """Yield the distributions installed in folders; the first one of each name is in use."""
    for folder in folders:
        for entry in _entries(folder):
            found = _read(entry)
            if found is not None:
                yield found


def version_of(name: str, folders: Iterable[str]) -> str | None:
    """Return the installed version of a distribution; None if it is not installed."""
    wanted = normal(name)
    for folder in folders:
        for entry in _entries(folder):
            if normal(entry.stem.partition("-")[0]) != wanted:
                continue
            found = _read(entry)
            if found is not None and found.name == wanted:
                return found.version
    return None


def normal(name: str) -> str:
    """Return the normalized name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _entries(folder: str) -> list[Path]:
    try:
        return sorted(path for path in Path(folder).iterdir() if path.suffix in _METADATA)
    except OSError:  # a folder of sys.path that does not exist, or a zip file
        return []


def _read(entry: Path) -> InstalledDistribution | None:
    """Read `NAME-VERSION.dist-info` or `.egg-info`, which is a folder or a file."""
    metadata = entry / _METADATA[entry.suffix] if entry.is_dir() else entry
    try:
        header = metadata.read_text("utf-8", "replace").partition("\n\n")[0]
    except OSError:  # left over from an interrupted installation
        return None
    fields = dict(re.findall(r"^(Name|Version):[ \t]*(\S+)", header, re.MULTILINE))
    if len(fields) < 2:
        return None
    return InstalledDistribution(normal(fields["Name"]), fields["Version"], metadata)
