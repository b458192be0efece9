"""Assets of a pipeline → objects of the local store, where its definition names them.

Assets are addressed by content, so an object that exists is the right one, unless somebody or a
full disk has damaged it. A bundle is small: it is read. Of data, which may be large, it is recorded
what each object's file was when it was put: one that has changed since is put again.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from pipelines.backends.local.objects import ObjectStore
from pipelines.bundle.assets import CodeAsset, DataAsset, digest_files
from pipelines.bundle.digests import state_of
from pipelines.compile.output import written_data, written_objects
from pipelines.errors import UsageError
from pipelines.json_types import Json
from pipelines.runtime.bundle import read_files
from pipelines.runtime.errors import JobError

_RECORDS = ".staged"  # not a valid bucket name

_States: TypeAlias = dict[str, Json]
"""Each object of an asset, by its name, with what its file is: inode, size, time of change."""


def stage(objects: ObjectStore, code: tuple[CodeAsset, ...], data: tuple[DataAsset, ...]) -> None:
    """Put the assets of a compiled pipeline into the store; what is there and whole is left alone.

    Args:
        objects: the object store.
        code: the bundles.
        data: the local data, as it was when its content was read.
    """
    for bundle in code:
        _mark_used(objects, bundle.uri.rpartition("/")[0])
        if not _is_whole(objects, bundle):
            objects.put_bytes(bundle.uri, bundle.archive())
    for asset in data:
        _mark_used(objects, asset.uri)
        _put(objects, asset)


def stage_written(objects: ObjectStore, definition: Path, project: Path) -> None:
    """Put what `compile -o` wrote beside a definition where that definition names it.

    Args:
        objects: the object store.
        definition: the definition's file.
        project: the folder that local data is named relative to.

    Raises:
        UsageError: local data is not what the definition was compiled from.
    """
    for uri, file in written_objects(definition):
        _mark_used(objects, uri.rpartition("/")[0])
        if not objects.exists(uri) or objects.get_bytes(uri) != file.read_bytes():
            objects.put_file(uri, file)
    for asset in written_data(definition, project):
        _mark_used(objects, asset.uri)
        if _is_there(objects, asset):
            continue
        is_here = all(path.is_file() for _, path in asset.files)
        if not is_here or digest_files(asset.files) != asset.digest:
            raise UsageError(
                f"the local data behind {asset.uri} is not what {definition} was compiled from",
                "compile again, or run it in the project that it was compiled in",
            )
        _put(objects, asset)


def _mark_used(objects: ObjectStore, prefix: str) -> None:
    """Keep `prune --local` from removing what is there, before anything else names it."""
    with suppress(OSError):  # it is not there
        os.utime(objects.root / prefix.removeprefix("s3://"))


def _is_whole(objects: ObjectStore, bundle: CodeAsset) -> bool:
    if not objects.exists(bundle.uri):
        return False
    try:
        return tuple(read_files(objects.path_of(bundle.uri))) == bundle.members
    except JobError:
        return False


def _is_there(objects: ObjectStore, asset: DataAsset) -> bool:
    """Return whether an asset is in the store, as it was put; if nobody knows, its content says."""
    states = _states(objects, asset)
    if None in states.values():
        return False
    if states == _recorded(objects, asset):
        return True
    stored = tuple((name, objects.path_of(asset.uri + name)) for name, _ in asset.files)
    if digest_files(stored) != asset.digest:
        return False
    _record(objects, asset, states)
    return True


def _put(objects: ObjectStore, asset: DataAsset) -> None:
    """Put the objects of an asset that are not there as they were put before."""
    recorded, states = _recorded(objects, asset), _states(objects, asset)
    if None not in states.values() and states == recorded:
        return
    for name, path in asset.files:
        if states[name] is None or states[name] != recorded.get(name):
            objects.put_file(asset.uri + name, path)
            _require_unchanged(objects, asset, name, path)
    _record(objects, asset, _states(objects, asset))


def _require_unchanged(objects: ObjectStore, asset: DataAsset, name: str, path: Path) -> None:
    """Make sure that what was put is what its address says; else take it away again.

    Raises:
        UsageError: the file was changed after its content was read.
    """
    if not asset.states or state_of(path) == asset.states[name]:
        return
    objects.delete(asset.uri + name)
    raise UsageError(
        f"`{name}` of data {asset.name} was changed while it was copied",
        "run the command again to use its current content",
    )


def _states(objects: ObjectStore, asset: DataAsset) -> _States:
    return {name: file_state(objects.path_of(asset.uri + name)) for name, _ in asset.files}


def file_state(file: Path) -> Json:
    """Return what tells whether a file is another, or was changed; None where it is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def _recorded(objects: ObjectStore, asset: DataAsset) -> _States:
    """Return what an asset's objects were when they were put; nothing where no record is whole."""
    try:
        known: Json = json.loads(_place(objects, asset).read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _record(objects: ObjectStore, asset: DataAsset, states: _States) -> None:
    place = _place(objects, asset)
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, written = tempfile.mkstemp(dir=place.parent)
    with os.fdopen(descriptor, "w") as file:
        json.dump(states, file)
    Path(written).replace(place)


def _place(objects: ObjectStore, asset: DataAsset) -> Path:
    below = asset.uri.removeprefix("s3://").removesuffix("/")
    return objects.root / _RECORDS / f"{below}.json"
