"""Local data in the object store: put once, and again when an object is not what was put."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.staging import stage
from pipelines.bundle.assets import DataAsset, digest_files
from pipelines.bundle.digests import state_of
from pipelines.errors import UsageError

NAMES = ("a.csv", "b/c.csv")


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    """Return an empty store."""
    return ObjectStore(tmp_path / "s3")


@pytest.fixture
def asset(tmp_path: Path) -> DataAsset:
    """Return an asset of two files."""
    files = []
    for name in NAMES:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
        files.append((name, path))
    digest = digest_files(tuple(files))
    return DataAsset(f"s3://bucket/p/data/d/{digest[:32]}/", digest, tuple(files))


def _inodes(store: ObjectStore, asset: DataAsset) -> list[int]:
    return [store.path_of(asset.uri + name).stat().st_ino for name in NAMES]


def test_data_that_is_there_is_not_put_again(store: ObjectStore, asset: DataAsset) -> None:
    """Nor read: what the objects' files were when they were put is enough to know."""
    stage(store, (), (asset,))
    first = _inodes(store, asset)
    for _, path in asset.files:
        path.write_text("never read")
    stage(store, (), (asset,))
    assert _inodes(store, asset) == first
    assert store.get_bytes(f"{asset.uri}a.csv") == b"content of a.csv"


def test_a_file_that_changes_before_it_is_copied_is_not_kept_under_its_old_address(
    store: ObjectStore, asset: DataAsset
) -> None:
    """Nobody would look again: the next run with the old content would read the new one."""
    asset = replace(asset, states={name: state_of(path) for name, path in asset.files})
    asset.files[1][1].write_text("written while the first one was copied")
    with pytest.raises(UsageError, match=r"`b/c.csv` of data d was changed while it was copied"):
        stage(store, (), (asset,))
    assert not store.exists(f"{asset.uri}b/c.csv")


@pytest.mark.parametrize("how", ["same length", "emptied", "removed", "without a record"])
def test_an_object_that_changed_is_put_again(
    store: ObjectStore, asset: DataAsset, how: str
) -> None:
    """Also one of the same length, which somebody edited below `.pipelines/s3`."""
    stage(store, (), (asset,))
    first = _inodes(store, asset)
    object_ = store.path_of(f"{asset.uri}a.csv")
    match how:
        case "removed":
            object_.unlink()
        case "emptied":
            os.truncate(object_, 0)
        case _:
            object_.write_text("CONTENT OF A.CSV")
    if how == "without a record":
        next((store.root / ".staged").rglob("*.json")).write_text("{")
    stage(store, (), (asset,))
    assert object_.read_text() == "content of a.csv"
    if how != "without a record":
        assert _inodes(store, asset)[1] == first[1]
    again = _inodes(store, asset)
    stage(store, (), (asset,))
    assert _inodes(store, asset) == again
