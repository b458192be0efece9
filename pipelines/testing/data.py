"""What a test gives as a channel or an input → files in a folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from pipelines.bundle.project import Project
from pipelines.testing.errors import JobSetupError


@runtime_checkable
class TabularFrame(Protocol):
    """What this module uses of a pandas DataFrame; others with the same methods do as well."""

    def to_csv(self, path: Path, *, index: bool) -> object:
        """Write a CSV file."""

    def to_parquet(self, path: Path, *, index: bool) -> object:
        """Write a Parquet file."""


Content: TypeAlias = "Path | TabularFrame | bytes | str | list[object] | dict[str, object]"
Data: TypeAlias = "Path | str | TabularFrame | Mapping[str, Content]"
"""A folder or file (relative paths begin at the project), a frame (becomes data.parquet), or
file name → content, where the name's ending says how a frame is written."""

_FRAME_NAME = "data.parquet"


def put(data: Data, folder: Path, project: Path) -> None:
    """Lay data out in a folder, which is made; what was given is copied, never linked.

    Raises:
        JobSetupError: a path does not exist, or a file name leads out of the folder.
        TypeError: there is no rule for this type of content.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(data, str | Path):
        _copy(_existing(project / data), folder)
    elif isinstance(data, Mapping):
        for name, content in data.items():
            target = _inside(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(content, target, project)
    elif isinstance(data, TabularFrame):
        _write(data, folder / _FRAME_NAME, project)
    else:
        raise TypeError(f"a channel is a path, a frame or a mapping, not {type(data).__name__}")


def _inside(folder: Path, name: str) -> Path:
    target = Path(name)
    if target.is_absolute() or ".." in target.parts or not target.parts:
        raise JobSetupError(
            f"`{name}` is not the name of a file in the input: write it relative, without `..`"
        )
    return folder / target


def _existing(path: Path) -> Path:
    if not path.exists():
        raise JobSetupError(f"the data {path} does not exist")
    return path


def _copy(source: Path, folder: Path) -> None:
    """Copy a file, or the files of a folder that `compile` would upload."""
    if source.is_file():
        shutil.copy(source, folder / source.name)
        return
    for name in tuple(Project(source).files(".")):  # before `folder`, if it is one of them, grows
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, target)


def _write(content: Content, target: Path, project: Path) -> None:
    if isinstance(content, Path):
        source = _existing(project / content)
        shutil.copy(source, target) if source.is_file() else _copy(source, target)
    elif isinstance(content, bytes):
        target.write_bytes(content)
    elif isinstance(content, str):
        target.write_text(content, encoding="utf-8")
    elif isinstance(content, TabularFrame):
        _write_frame(content, target)
    else:
        target.write_text(json.dumps(content), encoding="utf-8")


def _write_frame(frame: TabularFrame, target: Path) -> None:
    if target.suffix == ".csv":
        frame.to_csv(target, index=False)
    elif target.suffix == ".parquet":
        frame.to_parquet(target, index=False)
    else:
        raise TypeError(f"a frame is written as .csv or .parquet, not as {target.name}")
