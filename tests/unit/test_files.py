"""Files that are written whole, on disks that refuse."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import pipelines
from pipelines.cli import scaffold
from pipelines.cli.options import writing
from pipelines.errors import UsageError, from_outside, located
from pipelines.files import put, real, whole

LARGE = b"x" * 100_000


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let this process write no file beyond a size, as a full disk would not either."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    """Neither a part of it nor the folders that were made for it."""
    with files_of_at_most(1000), pytest.raises(OSError, match="File too large") as raised:
        put(tmp_path / "new" / "newer" / "file", LARGE)
    assert raised.value.errno == errno.EFBIG
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """A reader never finds a part, nor nothing."""
    file = tmp_path / "file"
    put(file, b"old")
    with files_of_at_most(1000), pytest.raises(OSError, match="File too large"):
        put(file, LARGE)
    assert {one: one.read_bytes() for one in tmp_path.iterdir()} == {file: b"old"}
    put(file, b"new")
    assert {one: one.read_bytes() for one in tmp_path.iterdir()} == {file: b"new"}


def test_an_interruption_leaves_nothing_either(tmp_path: Path) -> None:
    """Ctrl-C arrives anywhere."""

    def interrupted() -> None:
        with whole(tmp_path / "file") as part:
            part.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_and_a_device_is_written_to(tmp_path: Path) -> None:
    """Neither is replaced by a file."""
    (tmp_path / "link").symlink_to("real")
    put(tmp_path / "link", b"text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"text"
    put(Path("/dev/null"), b"text")
    assert not Path("/dev/null").is_file()


def test_a_project_that_does_not_fit_leaves_no_folder(tmp_path: Path) -> None:
    """`init` can be repeated when there is space."""
    content = {Path("a/first"): b"x", Path("b/second"): LARGE}
    with files_of_at_most(1000), pytest.raises(OSError, match="File too large"):
        scaffold.write(tmp_path / "project", content)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named_with_what_is_free(tmp_path: Path) -> None:
    """Of standard output nothing is known but that it is full."""
    full = OSError(errno.ENOSPC, "No space left on device")
    assert from_outside(full) == "output: No space left on device"
    problem = r"cannot be written: No space left on device \(.* MB free at"
    with pytest.raises(UsageError, match=problem), writing(tmp_path / "file"):
        raise full
    once = located(full, tmp_path)
    assert str(located(once, tmp_path)) == str(once)


def test_no_module_resolves_a_path_by_what_raises_for_a_link_to_itself() -> None:
    """`Path.resolve` raises a RuntimeError for one before Python 3.13: `files.real` does not."""
    package = Path(pipelines.__file__).parent
    known = package / "programs" / "package" / "tree.py"  # of what was found to lead somewhere
    found = [
        f"{file.relative_to(package)}:{number}"
        for file in sorted(package.rglob("*.py"))
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1)
        if ".resolve()" in line and "__file__" not in line and file != known
    ]
    assert found == []


def test_a_link_to_itself_leads_to_itself(tmp_path: Path) -> None:
    """So that whoever opens it says what is wrong."""
    (tmp_path / "loop").symlink_to("loop")
    assert real(tmp_path / "loop") == tmp_path / "loop"
