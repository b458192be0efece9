"""A compiled pipeline on disk: `compile -o` writes it, `run --from-definition` finds it.

<folder>/<pipeline>.json           the definition
<folder>/<pipeline>.assets.json    every asset with its URI, hash and files
<folder>/objects/<bucket>/<key>    the code bundles, laid out as in S3
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path, PurePath

from pipelines.bundle.assets import DataAsset
from pipelines.compile.canonical import canonical
from pipelines.compile.model import Compiled
from pipelines.files import put
from pipelines.json_types import JsonObject

_OBJECTS = "objects"
_ASSETS = ".assets.json"


def write(compiled: Compiled, folder: Path, project: Path) -> Iterator[Path]:
    """Write a compiled pipeline and yield the paths of what matters to a reader.

    The definitions come last: what they name is there then.

    Args:
        compiled: what was compiled.
        folder: where to; made when it is not there.
        project: local data is named relative to it.
    """
    for asset in compiled.code:
        put(folder / _OBJECTS / asset.uri.removeprefix("s3://"), asset.archive())
    assets = folder / f"{compiled.pipeline}{_ASSETS}"
    put(assets, canonical(_assets(compiled, project)).encode())
    for name, definition in compiled.definitions.items():
        file = folder / f"{name}.json"
        put(file, definition.encode())
        yield file
    yield assets


def written_objects(definition: Path) -> Iterator[tuple[str, Path]]:
    """Yield the code bundles that were written beside a definition: URI and file."""
    beside = definition.parent / _OBJECTS
    for file in sorted(beside.rglob("*")) if beside.is_dir() else ():
        if file.is_file():
            yield f"s3://{file.relative_to(beside).as_posix()}", file


def written_data(definition: Path, project: Path) -> Iterator[DataAsset]:
    """Yield the local data that a written definition was compiled from; it may have changed.

    Args:
        definition: the definition's file.
        project: the folder that local data is named relative to.
    """
    assets = definition.with_suffix(_ASSETS)
    for data in json.loads(assets.read_bytes())["data"] if assets.is_file() else ():
        files = tuple((name, project / path) for name, path in data["files"].items())
        yield DataAsset(data["uri"], data["sha256"], files)


def _assets(compiled: Compiled, project: Path) -> JsonObject:
    return {
        "code": [
            {
                "step": asset.step,
                "uri": asset.uri,
                "sha256": asset.digest,
                "files": [member.path for member in asset.members],
            }
            for asset in compiled.code
        ],
        "data": [
            {
                "uri": asset.uri,
                "sha256": asset.digest,
                "files": {
                    name: PurePath(os.path.relpath(path, project)).as_posix()
                    for name, path in asset.files
                },
            }
            for asset in compiled.data
        ],
    }
