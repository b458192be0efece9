"""Which `serve` runs for a project: `.pipelines/serve.json`, locked while the server lives.

The kernel releases the lock when the process dies, however it dies, so the file of a dead server
is never mistaken for that of a running one.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipelines.backends.local.state import locks
from pipelines.errors import UsageError

_FILE = "serve.json"


@contextmanager
def announce(home: Path, url: str) -> Iterator[None]:
    """Announce that this process serves a project, while the context lasts.

    Args:
        home: the `.pipelines` folder; created if missing.
        url: where it serves.

    Raises:
        UsageError: another process serves it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / _FILE).open("a+", encoding="utf-8") as file:
        if not locks.take(file):
            raise _already_served(find(home) or "an unknown address")
        _write(file, {"url": url, "pid": os.getpid()})
        try:
            yield
        finally:
            file.truncate(0)


def require_none(home: Path) -> None:
    """Refuse to continue if a `serve` of the project is running.

    Raises:
        UsageError: one is; the message has its address.
    """
    url = find(home)
    if url is not None:
        raise _already_served(url)


def find(home: Path) -> str | None:
    """Return the URL of the running `serve` of a project; None when none is running."""
    try:
        file = (home / _FILE).open(encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        for _ in range(locks.TRIES):
            if not locks.is_held(file):
                return None
            file.seek(0)
            url = _url_in(file.read())
            if url is not None:
                return url
            time.sleep(locks.PAUSE_SECONDS)  # it has the lock and is about to write the file
    return None


def _already_served(url: str) -> UsageError:
    return UsageError(
        f"`pipelines serve` is already running for this project: {url}",
        "use it, or stop it first",
    )


def _write(file: IO[str], content: dict[str, object]) -> None:
    file.truncate(0)
    file.write(json.dumps(content))
    file.flush()


def _url_in(text: str) -> str | None:
    try:
        return str(json.loads(text)["url"])
    except ValueError:
        return None
