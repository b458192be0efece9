"""Content type and user metadata of objects: headers beside the plain files that objects are.

They are kept with the identity of the file that they were given with. Who replaces the file
without this module, as jobs' outputs do, leaves no attributes behind that would be wrong.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from os import stat_result
from pathlib import Path

_KEPT = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
)
_USER = "x-amz-meta-"
_DEFAULT = {"content-type": "binary/octet-stream"}


def given(headers: Mapping[str, str]) -> dict[str, str]:
    """Pick what a request says about the object that it writes."""
    kept = {
        name: value for name, value in headers.items() if name in _KEPT or name.startswith(_USER)
    }
    encodings = [item.strip() for item in kept.pop("content-encoding", "").split(",")]
    encoding = ",".join(item for item in encodings if item and item != "aws-chunked")
    return {**kept, "content-encoding": encoding} if encoding else kept


class Attributes:
    """What is known of the objects of one store.

    Args:
        folder: where it is kept; made when something is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, uri: str, status: stat_result, headers: Mapping[str, str]) -> None:
        """Keep the attributes of an object that was just written."""
        file = self._file(uri)
        if not headers:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        record = {"uri": uri, "file": _identity(status), "headers": dict(headers)}
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(record, stream)
        Path(name).replace(file)

    def of(self, uri: str, status: stat_result) -> dict[str, str]:
        """Return the attributes of an object as headers."""
        try:
            record = json.loads(self._file(uri).read_bytes())
        except FileNotFoundError:
            return dict(_DEFAULT)
        if record["file"] != _identity(status):
            return dict(_DEFAULT)
        return {**_DEFAULT, **record["headers"]}

    def drop(self, uri: str) -> None:
        """Forget an object."""
        self._file(uri).unlink(missing_ok=True)

    def _file(self, uri: str) -> Path:
        name = hashlib.sha256(uri.encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / name[:2] / f"{name[2:]}.json"


def _identity(status: stat_result) -> list[int]:
    return [status.st_ino, status.st_size, status.st_mtime_ns]
