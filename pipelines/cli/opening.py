"""Files of results: shown on the desktop, copied into a folder."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pipelines.cli.options import writing
from pipelines.cli.printing import echo
from pipelines.cli.scope import Scope
from pipelines.errors import UsageError
from pipelines.execution.caller import split
from pipelines.files import folders, real, whole
from pipelines.results.outputs import Output
from pipelines.results.source import StoredFile

_CHUNK = 1 << 20


def open_file(path: Path) -> None:
    """Open a file in the desktop's program for it; print its path where there is no desktop."""
    import webbrowser  # noqa: PLC0415 - only where something is opened

    echo(shown_place(str(path)))
    if _has_desktop():
        webbrowser.open(real(path).as_uri())


def shown_place(place: str) -> str:
    """Write a path from the current folder, where it lies below it; a URI as it is."""
    return place.removeprefix(f"{Path.cwd()}{os.sep}")


def copy_outputs(scope: Scope, outputs: Iterable[Output], folder: Path) -> int:
    """Copy outputs into a folder, each below STEP/OUTPUT; return how many files there were.

    Raises:
        UsageError: it is not a folder, is not empty, or cannot be written.
        CallRefusedError: an object cannot be read.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", "name a new or empty folder")
    files = [(one, folder / out.step / out.name) for out in outputs for one in out.files]
    for file, below in files:
        _require_inside(file, below)
    for file, below in files:
        copy_file(scope, file, below)
    return len(files)


def copy_file(scope: Scope, file: StoredFile, folder: Path) -> Path:
    """Copy one file of an output below a folder; return where it is then."""
    _require_inside(file, folder)
    target = folder / file.name
    with writing(target), folders(target.parent), whole(target) as part:
        if file.path is not None:
            shutil.copyfile(file.path, part)
        else:
            _download(scope, file.uri, part)
    return target


def _require_inside(file: StoredFile, folder: Path) -> None:
    name = PurePosixPath(file.name)
    if ".." in name.parts or name.is_absolute():
        raise UsageError(f"{file.uri} would be written outside {folder}", "copy it by its URI")


def _download(scope: Scope, uri: str, target: Path) -> None:
    """Read an object of an account in pieces: a model may be larger than the memory."""
    if scope.account is None:
        message = f"{uri} is in no account"
        raise AssertionError(message)
    bucket, key = split(uri)
    owned = scope.account.owned()
    with scope.account.clients("s3") as (s3,), target.open("wb") as stream:
        body = s3.get_object(Bucket=bucket, Key=key, **owned)["Body"]
        for piece in body.iter_chunks(_CHUNK):
            stream.write(piece)


def _has_desktop() -> bool:
    if sys.platform in {"darwin", "win32"}:
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
