"""Hashes of large files are remembered; one that may have changed is read again."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from pipelines.bundle import digests
from pipelines.bundle.digests import PLACE, remembered_contents

SIZE = 1 << 20
HOUR = 3600


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a large file in a project that has run; the clock says that this is an hour ago."""
    (tmp_path / PLACE).parent.mkdir()
    file = tmp_path / "rows.bin"
    file.write_bytes(b"a" * SIZE)
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + HOUR * 1_000_000_000)
    return file


def asked(file: Path) -> str:
    """Return what is said to be in a file."""
    return remembered_contents([("rows", file)], file.parent / PLACE)["rows"]


def of(content: bytes) -> str:
    """Return a hash."""
    return hashlib.sha256(content).hexdigest()


def remembered(file: Path) -> list[str]:
    """Name the files whose hashes are remembered."""
    place = file.parent / PLACE
    return [Path(key).name for key in json.loads(place.read_bytes())] if place.exists() else []


def test_a_file_that_has_not_changed_is_not_read(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hash is that of the time before."""
    assert asked(large) == of(b"a" * SIZE)
    monkeypatch.setattr(digests, "hash_file", lambda path: pytest.fail(f"{path} was read"))
    assert asked(large) == of(b"a" * SIZE)


@pytest.mark.parametrize("written", ["in place", "anew"])
def test_a_file_with_other_content_is_read_though_its_size_and_time_are_the_same(
    large: Path, written: str
) -> None:
    """In place, or as another file that took its name: `cp -p`, `tar x`, `rsync --times`."""
    asked(large)
    before = large.stat()
    if written == "in place":
        large.write_bytes(b"b" * SIZE)
    else:
        (large.parent / "other").write_bytes(b"b" * SIZE)
        (large.parent / "other").replace(large)
    os.utime(large, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert asked(large) == of(b"b" * SIZE)


def test_a_file_that_has_just_changed_is_not_remembered(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could change again and bear the same time: git's racy index."""
    monkeypatch.undo()
    large.write_bytes(b"b" * SIZE)
    assert asked(large) == of(b"b" * SIZE)
    assert remembered(large) == []


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows which of its contents was hashed."""

    def edited(path: Path) -> str:
        path.write_bytes(b"c" * (SIZE + 1))
        return "0" * 64

    monkeypatch.setattr(digests, "hash_file", edited)
    asked(large)
    assert remembered(large) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"x": 1', b'{"x": 1}', b'{"x": []}', b'{"x": [1, "no hash"]}'],
    ids=["empty", "a-list", "half", "a-number", "nothing", "no-hash"],
)
def test_what_is_remembered_may_be_damaged(large: Path, content: bytes) -> None:
    """Then the files are read."""
    (large.parent / PLACE).write_bytes(content.replace(b'"x"', json.dumps(str(large)).encode()))
    assert asked(large) == of(b"a" * SIZE)
    assert remembered(large) == ["rows.bin"]


def test_small_files_and_those_that_are_gone_are_not_remembered(large: Path) -> None:
    """The file of hashes does not grow for ever."""
    asked(large)
    large.unlink()
    for name, size in (("new.bin", SIZE), ("small.bin", SIZE - 1)):
        (large.parent / name).write_bytes(b"n" * size)
        asked(large.parent / name)
    assert remembered(large) == ["new.bin"]


def test_a_project_that_has_not_run_gets_no_folder(large: Path) -> None:
    """`compile` and `validate` write nothing of their own."""
    (large.parent / PLACE).parent.rmdir()
    assert asked(large) == of(b"a" * SIZE)
    assert not (large.parent / PLACE).parent.exists()
