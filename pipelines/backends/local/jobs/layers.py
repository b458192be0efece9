"""Large inputs that a host sees without a copy: the store's folder below, the job's writes above.

In its own mounts a host sees such a folder through a layer (overlayfs), so that what the job
changes is its own and never an object of the store; a FastFile channel is bound read-only. Where
that cannot be had, and for small inputs, files are copied: by reference where the file system can
(XFS, Btrfs), else byte by byte. What is layered stands in a file beside the host's /opt/ml, which
its launcher mounts (`launcher/namespaces.py`).
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import PurePosixPath

    from pipelines.backends.local.jobs.spec import JobHost
    from pipelines.backends.local.objects import ObjectInfo
    from pipelines.json_types import JsonObject

_FILE: Final = "layers.json"
_FEWEST_FILES: Final = 64
_FEWEST_BYTES: Final = 16 << 20
"""Smaller inputs are copied: that takes no longer than a mount, and works everywhere."""

_SPECIAL: Final = frozenset(":,\\\n")
"""What the options of a mount would read as their own."""


def folder_of(placed: Sequence[tuple[ObjectInfo, PurePosixPath]]) -> Path | None:
    """Return the store's folder that holds exactly these objects where they are to be placed.

    None where there is none, or a copy takes no longer.
    """
    if len(placed) < _FEWEST_FILES and sum(info.size for info, _ in placed) < _FEWEST_BYTES:
        return None
    first, relative = placed[0]
    base = first.path.parents[len(relative.parts) - 1].absolute()
    if _SPECIAL & {*str(base)} or any(i.path.absolute() != base / r for i, r in placed):
        return None
    there = sum(len(files) for _, _, files in os.walk(base))
    return base if there == len(placed) else None


def add_layer(host: JobHost, folder: str, lower: Path, *, read_only: bool) -> None:
    """Have a host see a folder of the store at a path of its own.

    Args:
        host: the host.
        folder: the path, below /opt/ml; the folder exists.
        lower: the store's folder.
        read_only: whether nothing can be written there.
    """
    known = layers_of(host.root)
    own = host.root / "layers" / str(len(known))
    for name in ("upper", "work"):
        (own / name).mkdir(parents=True)
    layer = {"folder": folder, "lower": str(lower), "own": str(own), "read_only": read_only}
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
    try:
        with source.open("rb") as read, target.open("wb") as written:
            left = os.fstat(read.fileno()).st_size
            while left > 0:
                copied = os.copy_file_range(read.fileno(), written.fileno(), left)
                if copied == 0:
                    break
                left -= copied
    except (AttributeError, OSError):  # not Linux, or another file system
        shutil.copyfile(source, target)
