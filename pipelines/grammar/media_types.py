"""A file's suffix → the media type of a request that is sent with its content."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

JSON: Final = "application/json"
_TYPES: Final = {
    ".csv": "text/csv",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": JSON,
    ".jsonl": "application/jsonlines",
    ".libsvm": "text/libsvm",
    ".npy": "application/x-npy",
    ".parquet": "application/x-parquet",
    ".png": "image/png",
    ".txt": "text/plain",
}


def media_type(file: str) -> str:
    """Return the media type of a file's suffix, JSON for any other."""
    return _TYPES.get(PurePath(file).suffix.lower(), JSON)
