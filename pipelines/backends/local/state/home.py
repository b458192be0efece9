"""The `.pipelines` folder: its owner's alone, since it holds data, models and a running API."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def open_home(home: Path) -> None:
    """Create the folder, or take away what others may do in an existing one.

    Some file systems have no permissions, and some folders belong to another user: they stay as
    they are.

    Raises:
        OSError: it cannot be created.
    """
    home.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & _OTHERS:
        with suppress(PermissionError):
            home.chmod(mode & ~_OTHERS)
