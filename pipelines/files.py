"""Files that a user asks for, written whole: a reader finds the old one or the new one.

A disk that refuses leaves nothing behind, not even the folders that were made for the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.errors import located


def put(path: Path, content: bytes) -> None:
    """Write a file and the folders above it; a link stays, and a pipe or a device is written to.

    Raises:
        OSError: it cannot be written; of a full disk with what is free.
    """
    place = real(path)
    if place.exists() and not place.is_file():
        place.write_bytes(content)
        return
    with folders(place.parent), whole(place) as part:
        part.write_bytes(content)


def real(path: Path) -> Path:
    """Return where a path leads, links followed as far as they lead anywhere.

    `Path.resolve` raises a RuntimeError for a link to itself.
    """
    return Path(os.path.realpath(path))


@contextmanager
def whole(place: Path) -> Iterator[Path]:
    """Yield a file beside `place` to write to, which becomes it at the end.

    Raises:
        OSError: as `put`.
    """
    part = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        yield part
        part.replace(place)
    except OSError as error:
        raise located(error, place) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def folders(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; those that are new are removed if something goes wrong."""
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for one in new:
            with suppress(OSError):  # it was not made, or it is not empty
                one.rmdir()
        raise
