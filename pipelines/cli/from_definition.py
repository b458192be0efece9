"""A definition JSON from disk, ours or anybody's: checked, with the objects beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pipelines.backends.local.objects import ObjectStore
from pipelines.bundle.assets import DataAsset, digest_files
from pipelines.cli.definitions import read_definition
from pipelines.compile.output import OBJECTS
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


@frozen
class LoadedDefinition:
    """A definition that may be run.

    Args:
        name: the pipeline's name, made of the file's.
        text: the JSON.
        path: the file.
    """

    name: str
    text: str
    path: Path

    def stage(self, objects: ObjectStore, project: Path) -> None:
        """Put what `compile -o` wrote beside the definition into the object store.

        Args:
            objects: the object store.
            project: the folder that local data is named relative to.

        Raises:
            UsageError: local data is not what the definition was compiled from.
        """
        beside = self.path.parent / OBJECTS
        for file in sorted(beside.rglob("*")) if beside.is_dir() else ():
            uri = f"s3://{file.relative_to(beside).as_posix()}"
            if file.is_file() and not objects.exists(uri):
                objects.put_file(uri, file)
        assets = self.path.with_suffix(".assets.json")
        if assets.is_file():
            for data in json.loads(assets.read_bytes())["data"]:
                self._stage_data(objects, project, data)

    def _stage_data(self, objects: ObjectStore, project: Path, data: JsonObject) -> None:
        files = tuple((name, project / path) for name, path in data["files"].items())
        asset = DataAsset(data["uri"], data["sha256"], files)
        if all(objects.exists(asset.uri + name) for name, _ in files):
            return
        if not all(path.is_file() for _, path in files) or digest_files(files) != asset.digest:
            raise UsageError(
                f"the local data behind {asset.uri} is not what {self.path} was compiled from",
                "compile again, or run it in the project that it was compiled in",
            )
        for name, path in files:
            objects.put_file(asset.uri + name, path)


def load_definition(path: Path) -> LoadedDefinition:
    """Read and check a definition.

    Raises:
        UsageError: there is no such file.
        SpecError: it is no definition; the diagnostics were printed.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}", "compile one: pipelines compile -o build/")
    document = read_definition(path, "text", err=True)
    name = re.sub(r"[^A-Za-z0-9]+", "-", path.stem).strip("-") or "definition"
    return LoadedDefinition(name, json.dumps(document.data), path)
