"""What the machine refuses is told from our own bugs, with the place and what is free."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from pipelines.errors import free_space, from_outside, located


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EBADF, errno.EEXIST])
def test_a_missing_file_is_a_bug(code: int) -> None:
    """Somebody of us should have made it, or asked for it."""
    assert from_outside(OSError(code, os.strerror(code), "x")) is None


def test_a_full_disk_names_the_file_and_what_is_free_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of a file that could not be made need not exist; a write names no file."""
    found = os.statvfs(tmp_path)  # what is free changes between two looks
    monkeypatch.setattr(os, "statvfs", lambda at: found if at == tmp_path else _missing(at))
    free = free_space(tmp_path)
    assert free.endswith(f" MB free at {tmp_path}")
    full = errno.ENOSPC, "No space left on device"
    file = tmp_path / "deep" / "model"
    assert free_space(file) == free
    expected = f"{file}: No space left on device ({free})"
    assert from_outside(OSError(*full, str(file))) == expected
    assert from_outside(OSError(*full, os.fsencode(file))) == expected
    assert from_outside(OSError(*full), file) == expected
    assert from_outside(OSError(*full, 3), file) == expected


def _missing(folder: Path) -> NoReturn:
    raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(folder))


def test_what_was_free_when_it_happened_is_what_is_said(tmp_path: Path) -> None:
    """The file that did not fit is removed before anybody reads of it."""
    error = located(OSError(errno.ENOSPC, "No space left on device"), tmp_path)
    again = located(error, Path("/"))
    assert (again.filename, again.strerror) == (str(tmp_path), error.strerror)
    other = located(OSError(errno.EIO, "Input/output error"), tmp_path)
    assert from_outside(other) == f"{tmp_path}: Input/output error"
