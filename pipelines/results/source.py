"""A caller, and where its objects are: what the results of executions are read from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pipelines.execution.caller import Caller, CallRefusedError, split
from pipelines.frozen import frozen
from pipelines.json_types import Json


@frozen
class StoredFile:
    """One object below an output.

    Args:
        uri: its S3 URI.
        name: its path below the output; the file's own name where the output is one object.
        size: in bytes.
        path: the file on this machine; None in an account.
    """

    uri: str
    name: str
    size: int
    path: Path | None = None

    @property
    def suffix(self) -> str:
        """What its name ends with, in lower case: `.png`."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def place(self) -> str:
        """Where it can be opened: its path, or its URI where it is in an account."""
        return self.uri if self.path is None else str(self.path)


def _nowhere(_uri: str) -> Path | None:
    return None


@frozen
class ResultSource:
    """Where results are read from.

    Args:
        caller: carries out the calls.
        path_of: returns the file or the folder that an S3 URI is on this machine; None in an
            account.
    """

    caller: Caller
    path_of: Callable[[str], Path | None] = _nowhere

    def files(self, uri: str) -> tuple[StoredFile, ...]:
        """List the objects of a folder, or the one object at a URI: `train` is not `train_raw`."""
        bucket, key = split(uri)
        folder = f"{key.rstrip('/')}/"
        listed = self.caller.pages("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=key)
        found = []
        for entry in listed:
            name = str(entry["Key"])
            is_marker = name.endswith("/")  # consoles show folders by such objects
            if is_marker or (name != key and not name.startswith(folder)):
                continue
            below = name.removeprefix(folder) if name != key else PurePosixPath(name).name
            at = f"s3://{bucket}/{name}"
            found.append(StoredFile(at, below, int(entry["Size"]), self.path_of(at)))
        return tuple(found)

    def read(self, uri: str) -> bytes | None:
        """Read an object; None where it is not there, or may not be read."""
        try:
            return self.caller.download(*split(uri))
        except CallRefusedError as error:
            if error.is_missing or error.is_denied:
                return None
            raise

    def read_json(self, uri: str) -> Json:
        """Read a JSON file; None where it is not there, or is none that can be read."""
        content = self.read(uri)
        try:
            return None if content is None else json.loads(content)
        except (ValueError, RecursionError):
            return None
