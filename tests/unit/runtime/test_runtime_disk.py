"""A full disk ends a job with where it was and what is free; it is nobody's bug."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from pipelines.runtime.disk import outside, with_free_space
from pipelines.testing.jobs import Jobs

FREE = r"\d+(\.\d)? [KMGT]?B of \d+(\.\d)? [KMGT]?B free at "


def test_a_full_disk_is_described_by_its_path_and_what_is_free(tmp_path: Path) -> None:
    """A write does not say where: then the job's folder stands for it, which exists in part."""
    folders = [str(tmp_path / "opt" / "ml"), str(tmp_path)]
    said = outside(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), folders)
    where = re.escape(str(tmp_path))
    assert re.fullmatch(rf"{where}/opt/ml: No space left on device \({FREE}{where}\)", said)
    error = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), str(tmp_path / "model"))
    said = outside(error, folders)
    assert re.fullmatch(rf"{where}/model: Disk quota exceeded \({FREE}{where}\)", said)


@pytest.mark.parametrize(
    ("code", "said"),
    [(errno.EROFS, "x: Read-only file system"), (errno.ENOENT, ""), (errno.EBADF, "")],
)
def test_what_the_machine_refuses_is_told_from_a_bug(code: int, said: str) -> None:
    """A file that is missing or closed is the runtime's own mistake."""
    assert outside(OSError(code, os.strerror(code), "x"), ["/"]) == said


def test_a_text_about_something_else_is_left_alone() -> None:
    """Only the first line gets what is free; the traceback below it stays."""
    assert (
        with_free_space("ValueError: no data\n  File …", ["/"]) == "ValueError: no data\n  File …"
    )
    said = with_free_space("OSError: [Errno 28] No space left on device\n  File …", ["/"])
    assert re.fullmatch(
        rf"OSError: \[Errno 28\] No space left on device \({FREE}/\)\n  File …", said
    )
    assert with_free_space("No space left on device", ["nowhere"]) == "No space left on device"


def test_a_script_that_fills_the_disk_is_told_what_is_free(jobs: Jobs, project: Path) -> None:
    """`/dev/full` is a disk without room."""
    (project / "train.py").write_text("open('/dev/full', 'w', buffering=1).write('x\\n')\n")
    ended = jobs.training("train.py").run()
    assert ended.exit_code == 1
    first, _, rest = (ended.failure or "").partition("\n")
    assert re.match(rf"OSError: \[Errno 28\] No space left on device \({FREE}", first)
    assert "train.py" in rest
