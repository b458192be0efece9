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

from pipelines.backends.local.settings import ApiCredentials, LocalApi
from pipelines.backends.local.state import locks
from pipelines.backends.local.state.home import open_home
from pipelines.errors import UsageError

_FILE = "serve.json"


@contextmanager
def announce(home: Path, api: LocalApi) -> Iterator[None]:
    """Announce that this process serves a project, while the context lasts.

    Args:
        home: the `.pipelines` folder; created if missing.
        api: where it serves.

    Raises:
        UsageError: another process serves it.
    """
    open_home(home)
    with (home / _FILE).open("a+", encoding="utf-8") as file:
        if not locks.take(file):
            served = find(home)
            raise _already_served(served.url if served else "an unknown address")
        _write(file, api)
        try:
            yield
        finally:
            file.truncate(0)


def require_none(home: Path) -> None:
    """Refuse to continue if a `serve` of the project is running.

    Raises:
        UsageError: one is; the message has its address.
    """
    served = find(home)
    if served is not None:
        raise _already_served(served.url)


def find(home: Path) -> LocalApi | None:
    """Return where the running `serve` of a project is; None when none is running."""
    try:
        file = (home / _FILE).open(encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        for _ in range(locks.TRIES):
            if not locks.is_held(file):
                return None
            file.seek(0)
            served = _read(file.read())
            if served is not None:
                return served
            time.sleep(locks.PAUSE_SECONDS)  # it has the lock and is about to write the file
    return None


def _already_served(url: str) -> UsageError:
    return UsageError(
        f"`pipelines serve` is already running for this project: {url}",
        "use it, or stop it first",
    )


def _write(file: IO[str], api: LocalApi) -> None:
    key = [api.credentials.access_key, api.credentials.secret_key]
    file.truncate(0)
    file.write(json.dumps({"url": api.url, "pid": os.getpid(), "key": key}))
    file.flush()


def _read(text: str) -> LocalApi | None:
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return LocalApi(content["url"], ApiCredentials(*content["key"]))
