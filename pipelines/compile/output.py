"""A compiled pipeline on disk: `compile -o` writes it, `run --from-definition` finds it.

<folder>/<pipeline>.json           the definition
<folder>/<pipeline>.assets.json    every asset with its URI, hash and files
<folder>/objects/<bucket>/<key>    the code bundles, laid out as in S3
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.compile.canonical import canonical
from pipelines.compile.model import Compiled
from pipelines.json_types import JsonObject

OBJECTS = "objects"


def write(compiled: Compiled, folder: Path, project: Path) -> Iterator[Path]:
    """Write a compiled pipeline and yield the paths of what matters to a reader.

    Args:
        compiled: what was compiled.
        folder: where to; made when it is not there.
        project: local data is named relative to it.
    """
    for name, definition in compiled.definitions.items():
        yield _put(folder / f"{name}.json", definition.encode())
    assets = canonical(_assets(compiled, project))
    yield _put(folder / f"{compiled.pipeline}.assets.json", assets.encode())
    for asset in compiled.code:
        _put(folder / OBJECTS / asset.uri.removeprefix("s3://"), asset.archive())


def _assets(compiled: Compiled, project: Path) -> JsonObject:
    root = project.resolve()
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
                    name: path.resolve().relative_to(root).as_posix() for name, path in asset.files
                },
            }
            for asset in compiled.data
        ],
    }


def _put(path: Path, content: bytes) -> Path:
    """Write a file so that a reader finds the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)
    return path
