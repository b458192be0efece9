"""What is kept of a failed job: `.pipelines/jobs/<job name>`, with its /opt/ml and its code.

It stays until the step is tried again in the same execution, or until `prune --local`. Logs are
read through `openable`, so that a traceback names files that exist: the user's own where it is
what ran, else the kept copy.
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from pipelines.runtime.bundle import CODE, read_files, write_files
from pipelines.runtime.errors import JobError

JOB_FILE = "job"
"""Beside the logs of an attempt: the name of its job."""

SCRATCH_FILE = "scratch"
"""Beside the logs of an attempt: the folder that its hosts unpacked their bundles into."""

_MARK = ".kept"
_BUNDLES = tuple(
    f"*/opt/ml/{place}/code/bundle.py*" for place in ("input/data", "processing/input")
)
_UNPACKED = r"/pipelines-[0-9a-f]{16}/(code|tool)/([^\"'\n:]+)"  # as the runtime names it
_OPT_ML = re.compile(r'File "/opt/ml/([^"\n]+)"')
_PACKAGE = Path(__file__).parents[3]


def job_folder(home: Path, job: str) -> Path:
    """Return the folder of a job's hosts, which exists while it runs and after it has failed."""
    return home.absolute() / "jobs" / job


def client_logs(home: Path) -> Path:
    """Return the folder of the logs of jobs that no step has created: `<noun>/<job name>/1`.

    Each lies as deep as the logs of a step's attempt.
    """
    return home / "logs"


def keep(folder: Path) -> None:
    """Mark a job's folder as one to keep, and unpack the code that ran into it."""
    bundles = [file for place in _BUNDLES for file in sorted(folder.glob(place))]
    with suppress(OSError, JobError):  # a full disk, or a bundle that could not be read either
        (folder / _MARK).touch()
        for bundle in bundles[:1]:
            write_files((one for one in read_files(bundle) if one.path.startswith(CODE)), folder)


def is_kept(folder: Path) -> bool:
    """Return whether the folder of a job was kept when it ended."""
    return (folder / _MARK).exists()


def discard_earlier(home: Path, step_logs: Path) -> None:
    """Remove what is kept of the earlier attempts at a step of one execution."""
    for file in step_logs.glob(f"*/{JOB_FILE}"):
        folder = job_folder(home, file.read_text(encoding="utf-8"))
        if is_kept(folder):
            remove(folder)


def kept_folders(home: Path) -> tuple[Path, ...]:
    """Return the kept folders of a project's failed jobs, sorted by the name of the job."""
    marks = (home.absolute() / "jobs").glob(f"*/{_MARK}")
    return tuple(sorted(mark.parent for mark in marks))


def openable(attempt: Path) -> Callable[[str], str]:
    """Return what makes the paths in a line of an attempt's log into paths of existing files.

    Args:
        attempt: the folder of its logs.
    """
    try:
        job = (attempt / JOB_FILE).read_text(encoding="utf-8")
        scratch = (attempt / SCRATCH_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return lambda line: line
    return _Paths(job_folder(attempt.parents[3], job), scratch).replaced


class _Paths:
    """The paths in the logs of one job."""

    def __init__(self, folder: Path, scratch: str) -> None:
        self._folder = folder
        self._scratch = scratch
        self._unpacked = re.compile(re.escape(scratch) + _UNPACKED)
        self._found = cache(self._find)

    def replaced(self, line: str) -> str:
        if self._scratch in line:
            line = self._unpacked.sub(lambda found: self._found(found[0], *found.groups()), line)
        if '"/opt/ml/' in line:
            line = _OPT_ML.sub(self._in_opt_ml, line)
        return line

    def _find(self, written: str, part: str, path: str) -> str:
        """Return the file that a bundle's file is now."""
        project = self._folder.parents[2]
        own = (_PACKAGE if part == "tool" else project) / path
        copy = self._folder / part / path
        if not _is_file(copy):
            return str(own) if _is_file(own) else written
        return str(own if _is_same(own, copy) else copy)

    def _in_opt_ml(self, found: re.Match[str]) -> str:
        for file in self._folder.glob("*/opt/ml"):
            if _is_file(file / found[1]):
                return f'File "{file / found[1]}"'
        return found[0]


def _is_file(path: Path) -> bool:
    """Return whether there is such a file; a job may print any name, however long."""
    return os.path.isfile(path)  # noqa: PTH113 - pathlib's raises for a name that is too long


def _is_same(own: Path, copy: Path) -> bool:
    try:
        return _is_file(own) and filecmp.cmp(own, copy, shallow=False)
    except OSError:  # one of them has just gone, or may not be read
        return False


def remove(folder: Path) -> None:
    """Remove a folder, whatever permissions the job left on it, if it exists."""
    if folder.exists():
        shutil.rmtree(folder, onerror=_unlock)  # `onexc` is Python 3.12


def _unlock(
    action: Callable[[str], object], path: str, problem: tuple[object, object, object]
) -> None:
    """Restore write permission on a folder and try again; what still fails is left behind.

    Another process may remove the same folder, so that anything in it may be gone.
    """
    del problem
    with suppress(FileNotFoundError):
        for locked in (Path(path).parent, Path(path)):
            if locked.is_dir() and not locked.is_symlink():
                locked.chmod(stat.S_IRWXU)
        if Path(path).is_dir() and action.__name__ != "rmdir":
            shutil.rmtree(path, ignore_errors=True)
        elif Path(path).is_symlink() or Path(path).exists():
            action(path)
