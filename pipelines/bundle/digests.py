"""The hashes of large files, remembered: data that has not changed is not read again.

As in git's index, a file is taken to be what it was if its size, times and inode are. A file that
changed shortly before it was read is not remembered: it may change again within the same tick of
the file system's clock.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from pipelines.bundle.assets import hash_file
from pipelines.frozen import frozen

PLACE: Final = Path(".pipelines") / "digests.json"
"""Where they are remembered, below the project: only if its `.pipelines` is there."""

_LARGE: Final = 1 << 20
_SETTLED: Final = 2_000_000_000  # nanoseconds; FAT counts in steps of two seconds
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

FileState: TypeAlias = tuple[int, ...]
"""What a file is: one that is changed has another one."""


@frozen
class _Known:
    state: FileState
    digest: str


def remembered_contents(files: Iterable[tuple[str, Path]], place: Path) -> dict[str, str]:
    """Return the SHA-256 of each file, by its relative path; large ones are read only when new.

    Args:
        files: relative path → file on disk.
        place: the file of hashes.
    """
    known, learned, contents = _read(place), dict[str, _Known](), {}
    for name, path in files:
        key, state, began = str(path.absolute()), state_of(path), time.time_ns()
        found = known.get(key)
        if found is not None and found.state == state:
            contents[name] = found.digest
            continue
        contents[name] = hash_file(path)
        if _is_worth_it(path, state, began):
            learned[key] = _Known(state, contents[name])
    if learned and place.parent.is_dir():
        with suppress(OSError):  # a project that may only be read
            _write(place, {**known, **learned})
    return contents


def state_of(path: Path) -> FileState:
    """Return size, times and inode of a file."""
    status = path.stat()
    times = status.st_mtime_ns, status.st_ctime_ns
    return status.st_size, *times, status.st_ino, status.st_dev


def _is_worth_it(path: Path, state: FileState, began: int) -> bool:
    """Return whether a file is large, and certainly still what was read."""
    size, modified, changed, *_ = state
    is_settled = max(modified, changed) + _SETTLED < began
    return size >= _LARGE and is_settled and state_of(path) == state


def _read(place: Path) -> dict[str, _Known]:
    try:
        written = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return {}
    items = written.items() if isinstance(written, dict) else ()
    return {key: _Known(tuple(one[:-1]), one[-1]) for key, one in items if _is_whole(one)}


def _is_whole(entry: object) -> bool:
    match entry:
        case [*_, str(digest)]:
            return _SHA256.fullmatch(digest) is not None
        case _:
            return False


def _write(place: Path, known: Mapping[str, _Known]) -> None:
    """Write the hashes of the files that are still there, whole."""
    kept = {key: (*one.state, one.digest) for key, one in known.items() if Path(key).exists()}
    descriptor, written = tempfile.mkstemp(dir=place.parent, prefix=".digests-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(kept, file)
        Path(written).replace(place)
    finally:
        Path(written).unlink(missing_ok=True)
