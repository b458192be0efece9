"""A bundle on disk: what `compile -o` writes and `run --from-definition` finds beside a definition.

<folder>/<pipeline>.json           the definition
<folder>/<pipeline>.assets.json    every asset with its URI, hash and files
<folder>/objects/<bucket>/<key>    the code bundles, laid out as in S3
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.compile.canonical import canonical
from pipelines.compile.driver import Bundle
from pipelines.json_types import JsonObject

OBJECTS = "objects"


def write(bundle: Bundle, folder: Path, project: Path) -> Iterator[Path]:
    """Write a bundle and yield the paths of what matters to a reader.

    Args:
        bundle: what was compiled.
        folder: where to; made when it is not there.
        project: local data is named relative to it.
    """
    for name, definition in bundle.definitions.items():
        yield _put(folder / f"{name}.json", definition.encode())
    assets = canonical(_assets(bundle, project))
    yield _put(folder / f"{bundle.pipeline}.assets.json", assets.encode())
    for asset in bundle.code:
        _put(folder / OBJECTS / asset.uri.removeprefix("s3://"), asset.archive())


def _assets(bundle: Bundle, project: Path) -> JsonObject:
    root = project.resolve()
    return {
        "code": [
            {
                "step": asset.step,
                "uri": asset.uri,
                "sha256": asset.digest,
                "files": [member.path for member in asset.members],
            }
            for asset in bundle.code
        ],
        "data": [
            {
                "uri": asset.uri,
                "sha256": asset.digest,
                "files": {
                    name: path.resolve().relative_to(root).as_posix() for name, path in asset.files
                },
            }
            for asset in bundle.data
        ],
    }


def _put(path: Path, content: bytes) -> Path:
    """Write a file so that a reader finds the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)
    return path
