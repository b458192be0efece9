"""Inputs that a host sees without a copy: the store's folder below, the job's writes above.

In its own mounts a host sees such a folder through a layer (overlayfs), so that what the job
changes is its own and never an object of the store. Objects that are no whole folder of the store,
such as a host's share, are a folder of hard links to them. A FastFile channel and a file system are
bound, read-only where the service mounts them so. Where layers cannot be had, and for small
inputs, files are copied: by reference where the file system can (XFS, Btrfs), else byte by byte.
What is layered stands in a file beside the host's /opt/ml, which its launcher mounts
(`launcher/namespaces.py`).
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from pipelines.backends.local.objects import copy_contents

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.backends.local.jobs.sources import PlacedObject
    from pipelines.backends.local.jobs.spec import JobHost
    from pipelines.json_types import JsonObject

Access: TypeAlias = Literal["own", "ro", "rw"]
"""What a host may do to a folder that it sees: change a view of its own, nothing, or itself."""

_FILE: Final = "layers.json"
_FEWEST_FILES: Final = 64
_FEWEST_BYTES: Final = 16 << 20
"""Smaller inputs are copied: that takes no longer than a mount, and works everywhere."""

_SPECIAL: Final = frozenset(":,\\\n")
"""What the options of a mount would read as their own."""


def folder_for(host: JobHost, placed: Sequence[PlacedObject]) -> Path | None:
    """Return a folder that holds exactly these objects where a host is to see them.

    None where there can be none, or a copy takes no longer.
    """
    if len(placed) < _FEWEST_FILES and sum(info.size for info, _ in placed) < _FEWEST_BYTES:
        return None
    linked = host.root / "linked" / str(len(layers_of(host.root)))
    return folder_of(placed) or _of_links(placed, linked.absolute())


def folder_of(placed: Sequence[PlacedObject]) -> Path | None:
    """Return the store's folder that holds exactly these objects where they are to be placed."""
    first, relative = placed[0]
    base = first.path.parents[len(relative.parts) - 1].absolute()
    if _SPECIAL & {*str(base)} or any(i.path.absolute() != base / r for i, r in placed):
        return None
    there = sum(len(files) for _, _, files in os.walk(base))
    return base if there == len(placed) else None


def _of_links(placed: Sequence[PlacedObject], folder: Path) -> Path | None:
    """Make a folder of hard links to objects; None where the file system has none."""
    if _SPECIAL & {*str(folder)}:
        return None
    try:
        for info, relative in placed:
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(info.path)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    return folder


def add_layer(host: JobHost, folder: str, lower: Path, access: Access) -> None:
    """Have a host see a folder of this machine at a path of its own.

    Args:
        host: the host.
        folder: the path, below /opt/ml; the folder exists.
        lower: the folder that it sees, such as the store's.
        access: what it may do to it.
    """
    known = layers_of(host.root)
    own = host.root / "layers" / str(len(known))
    for name in ("upper", "work") if access == "own" else ():
        (own / name).mkdir(parents=True)
    layer = {"folder": folder, "lower": str(lower), "own": str(own), "access": access}
    (host.root / _FILE).write_text(json.dumps([*known, layer]), encoding="utf-8")


def layers_of(root: Path) -> list[JsonObject]:
    """Return the layers of a host by the folder that stands for its disk."""
    try:
        found: list[JsonObject] = json.loads((root / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return found


def show_layers(roots: Iterable[Path]) -> None:
    """Put links to the store where hosts have seen layers, for whoever looks when they are gone."""
    for root in roots:
        for layer in layers_of(root):
            folder = root / str(layer["folder"]).lstrip("/")
            with suppress(OSError):  # the job, or its copy, has left something there
                folder.rmdir()
                folder.symlink_to(layer["lower"])


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, by reference where the file system can."""
    with source.open("rb") as read, target.open("wb") as written:
        copy_contents(read, written)
