"""A processing input that holds a model → the folder of the unpacked model."""

from __future__ import annotations

from pathlib import Path

from .archive import unpack
from .archive_members import ArchiveError
from .errors import JobError

_ARCHIVE = "model.tar.gz"


def unpack_model(folder: Path, into: Path) -> Path:
    """Unpack model.tar.gz below `into`; a folder without an archive is the model itself.

    The service stores an empty archive of a training that has written no model: the log says so.

    Raises:
        JobError: there is no such folder, or the archive cannot be unpacked.
    """
    if not folder.is_dir():
        raise JobError(f"the folder of the model input, {folder}, does not exist")
    archives = sorted(folder.glob("*.tar.gz"))
    named = folder / _ARCHIVE
    if named.is_file():
        archives = [named]
    if len(archives) != 1:
        return folder
    into.mkdir()
    try:
        unpack(archives[0], into)
    except ArchiveError as error:
        raise JobError(f"the model cannot be unpacked: {error}") from None
    if not any(into.iterdir()):
        print("pipelines: the model is empty: its training job left nothing in /opt/ml/model")
    return into
