"""What was fetched: each object's ETag in S3, and what its file was when it was put.

One file of lines for each bucket; the last line of a key counts. A line is written once its object
is there, so that what was interrupted goes on after the last whole object.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Final

from pipelines.backends.local.staging import file_state
from pipelines.frozen import frozen
from pipelines.json_types import Json

_FOLDER: Final = ".fetched"  # not a valid bucket name
_PARTS: Final = 3


@frozen
class FetchedObject:
    """An object as it was fetched.

    Args:
        etag: its ETag in S3.
        state: what its file was when it was put.
    """

    etag: str
    state: Json


class FetchRecords:
    """The records of one bucket.

    Args:
        root: the folder of the object store.
        bucket: the bucket.
    """

    def __init__(self, root: Path, bucket: str) -> None:
        self._root = root / bucket
        self._file = root / _FOLDER / f"{bucket}.jsonl"
        self._known: dict[str, FetchedObject] = {}
        self._lock = threading.Lock()
        self._read()

    def find(self, key: str) -> FetchedObject | None:
        """Return what is known of an object; None where it was never fetched."""
        return self._known.get(key)

    def below(self, prefix: str) -> list[str]:
        """Return the keys of what was fetched and begins with a prefix."""
        return [key for key in self._known if key.startswith(prefix)]

    def is_untouched(self, key: str) -> bool:
        """Return whether the object is what was fetched: nobody has changed it here."""
        known = self._known.get(key)
        return known is not None and known.state == file_state(self._root / key)

    def add(self, key: str, etag: str) -> None:
        """Record an object that has just been put."""
        self._write(key, FetchedObject(etag, file_state(self._root / key)))

    def forget(self, key: str) -> None:
        """Record that an object was removed."""
        self._write(key, None)

    def _write(self, key: str, fetched: FetchedObject | None) -> None:
        line = [key, fetched.etag, fetched.state] if fetched is not None else [key, None, None]
        with self._lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(line)}\n")
            self._keep(line)

    def _keep(self, line: list[Json]) -> None:
        key, etag, state = line
        if etag is None:
            self._known.pop(str(key), None)
        else:
            self._known[str(key)] = FetchedObject(str(etag), state)

    def _read(self) -> None:
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except OSError:
            return
        for text in lines:
            try:
                line = json.loads(text)
            except ValueError:  # the machine went off while it was written
                continue
            if isinstance(line, list) and len(line) == _PARTS:
                self._keep(line)
