"""The ETag of an object: its MD5 up to 8 MB, as S3 returns it for a plain upload.

That of a larger one, which boto3 would upload in parts, has the form of a multipart upload's: it
changes whenever the file does, and no reader mistakes it for an MD5.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from os import stat_result
from pathlib import Path

_PLAIN = 8 << 20
_CACHED = 100_000


def etag(path: Path, status: stat_result) -> str:
    """Return the ETag of the file that an object is, with its quotation marks."""
    return _etag(path, status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(_CACHED)
def _etag(path: Path, number: int, size: int, modified: int) -> str:
    if size <= _PLAIN:
        return f'"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}"'
    seen = f"{number} {size} {modified}".encode()
    parts = -(-size // _PLAIN)
    return f'"{hashlib.md5(seen, usedforsecurity=False).hexdigest()}-{parts}"'
